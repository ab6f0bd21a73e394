#include "connector/snapshot.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/codec.hpp"
#include "protocol/json_writer.hpp"

namespace connector {

using base::ErrorCode;
using base::fail;
using base::limits::snapshot_chunk_bytes;
using base::limits::snapshot_chunk_rows_max;
using postgres::Params;
using postgres::quote_literal;
using postgres::Rows;
using postgres::Statement;
using namespace std::chrono_literals;

namespace {

constexpr auto answer_timeout = 30s;
constexpr auto read_timeout = 1h;  // a table may have to be sorted first
constexpr std::size_t first_chunk_rows = 16;

Result<void> only_errors(postgres::Answer&& answer) {
    if (!answer) return std::unexpected(answer.error());
    return {};
}

RowPlace place_of(const Rows& rows, std::size_t row, std::size_t column) {
    RowPlace place{.table = std::string{rows.text(row, column)}, .key = {}};
    if (const auto key = rows.value(row, column + 1)) place.key = key_of_json(*key);
    return place;
}

std::optional<std::string> key_param(const RowPlace& place) {
    return place.key ? std::optional{to_json(*place.key)} : std::nullopt;
}

std::string to_json(const std::vector<broker::Draft>& drafts) {
    std::string text;
    protocol::JsonWriter out{text};
    out.array([&] {
        for (const auto& draft : drafts) {
            out.element();
            out.object([&] {
                out.key("index");
                out.integer(draft.place->index);
                out.key("rows");
                out.boolean(draft.rows);
                out.key("frame");
                out.json(encode(protocol::Format::json, draft.message));
            });
        }
    });
    return text;
}

Result<std::vector<broker::Draft>> drafts_of(const Rows& rows, Lsn start) {
    std::vector<broker::Draft> drafts;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        broker::WalPlace place{start.value, 0};
        const auto index = rows.text(row, 0);
        std::from_chars(index.data(), index.data() + index.size(), place.index);
        auto frame = protocol::decode(protocol::Format::json, rows.text(row, 2));
        if (!frame) return std::unexpected(frame.error());
        drafts.push_back({.message = *std::move(frame), .place = place, .rows = rows.flag(row, 1)});
    }
    return drafts;
}

}  // namespace

asio::awaitable<Result<std::optional<SnapshotState>>> load_snapshot(SessionPtr session, std::string slot) {
    const Statement find{"", R"(
        SELECT start, rows, done, at_table, at_key, chunk_table, chunk_key FROM palimpsest.snapshot WHERE slot = $1)"};
    const Statement find_parts{"", "SELECT consistent, from_table, from_key FROM palimpsest.snapshot_part WHERE slot = $1 ORDER BY 1"};
    const Statement find_chunk{"", R"(
        SELECT each->>'index', (each->>'rows')::boolean, each->'frame'
        FROM palimpsest.snapshot, json_array_elements(chunk) WITH ORDINALITY AS of_it (each, number) WHERE slot = $1 ORDER BY number)"};
    Params params{slot}, parts_params{slot}, chunk_params{slot};
    auto found = co_await session->query(find, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    if (found->empty()) co_return std::optional<SnapshotState>{};
    auto parts = co_await session->query(find_parts, std::move(parts_params), answer_timeout);
    if (!parts) co_return std::unexpected(parts.error());
    auto chunk = co_await session->query(find_chunk, std::move(chunk_params), answer_timeout);
    if (!chunk) co_return std::unexpected(chunk.error());
    SnapshotState state;
    const auto rows = found->text(0, 1);
    std::from_chars(rows.data(), rows.data() + rows.size(), state.rows);
    state.start = postgres::parse_lsn(found->text(0, 0)).value_or(Lsn{});
    state.done = found->flag(0, 2);
    state.at = place_of(*found, 0, 3);
    for (std::size_t i = 0; i < parts->size(); ++i) {
        state.parts.push_back({postgres::parse_lsn(parts->text(i, 0)).value_or(Lsn{}), place_of(*parts, i, 1)});
    }
    auto drafts = drafts_of(*chunk, state.start);
    if (!drafts) co_return std::unexpected(drafts.error());
    if (!drafts->empty()) state.chunk = {.drafts = *std::move(drafts), .end = place_of(*found, 0, 5)};
    co_return std::optional{std::move(state)};
}

asio::awaitable<Result<void>> drop_snapshot(SessionPtr session, std::string slot) {
    const Statement statement{"", R"(
        WITH parts AS (DELETE FROM palimpsest.snapshot_part WHERE slot = $1) DELETE FROM palimpsest.snapshot WHERE slot = $1)"};
    Params params{slot};
    co_return only_errors(co_await session->query(statement, std::move(params), answer_timeout));
}

asio::awaitable<Result<SnapshotState>> begin_snapshot(SessionPtr session, std::string slot, Lsn consistent) {
    // No transaction of the stream commits before `consistent`: a place just before it is before all of them, and nobody else's.
    SnapshotState state{.start = Lsn{consistent.value - 1}, .at = {}, .parts = {{consistent, {}}}};
    if (auto dropped = co_await drop_snapshot(session, slot); !dropped) co_return std::unexpected(dropped.error());
    const Statement statement{"", R"(
        WITH part AS (INSERT INTO palimpsest.snapshot_part (slot, consistent) VALUES ($1, $2::pg_lsn))
        INSERT INTO palimpsest.snapshot (slot, start) VALUES ($1, $3::pg_lsn))"};
    Params params{slot, to_string(consistent), to_string(state.start)};
    auto stored = only_errors(co_await session->query(statement, std::move(params), answer_timeout));
    if (!stored) co_return std::unexpected(stored.error());
    co_return state;
}

asio::awaitable<Result<std::vector<SnapshotPart>>> resume_snapshot(SessionPtr session, std::string slot, RowPlace at,
                                                                   std::vector<SnapshotPart> parts, Lsn consistent) {
    std::erase_if(parts, [&](const SnapshotPart& each) { return each.from == at; });  // it came to nothing
    parts.push_back({consistent, at});
    const Statement statement{"", R"(
        WITH gone AS (DELETE FROM palimpsest.snapshot_part WHERE slot = $1 AND coalesce(from_table, '') = $3::text
                      AND from_key::text IS NOT DISTINCT FROM $4::text)
        INSERT INTO palimpsest.snapshot_part (slot, consistent, from_table, from_key) VALUES ($1, $2::pg_lsn, $3::text, $4::text::json))"};
    Params params{slot, to_string(consistent), at.table, key_param(at)};
    auto stored = only_errors(co_await session->query(statement, std::move(params), answer_timeout));
    if (!stored) co_return std::unexpected(stored.error());
    co_return parts;
}

asio::awaitable<Result<void>> store_snapshot(SessionPtr session, std::string slot, SnapshotState state, Tails tails) {
    if (auto stored = co_await store_tails(session, slot, std::move(tails), std::nullopt); !stored) co_return stored;
    const Statement statement{"", R"(
        UPDATE palimpsest.snapshot SET rows = $2::bigint, at_table = $3, at_key = $4::json, done = $5::boolean,
            chunk = $6::json, chunk_table = $7, chunk_key = $8::json WHERE slot = $1)"};
    Params params{slot, std::to_string(state.rows), state.at.table, key_param(state.at), state.done ? "t" : "f", {}, {}, {}};
    if (state.chunk) {
        params[5] = to_json(state.chunk->drafts);
        params[6] = state.chunk->end.table;
        params[7] = key_param(state.chunk->end);
    }
    co_return only_errors(co_await session->query(statement, std::move(params), answer_timeout));
}

asio::awaitable<Result<void>> SnapshotReader::open(std::string conninfo, std::string snapshot) {
    postgres::ConnectOptions options{.conninfo = std::move(conninfo)};
    auto connected = co_await session_->connect(std::move(options));
    if (!connected) co_return connected;
    std::string sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT " + quote_literal(snapshot);
    co_return only_errors(co_await session_->execute(std::move(sql), answer_timeout));
}

asio::awaitable<Result<void>> SnapshotReader::begin_table(std::string sql) {
    const std::string close = chunk_rows_ == 0 ? "" : "CLOSE palimpsest_rows; ";
    chunk_rows_ = first_chunk_rows;
    co_return only_errors(co_await session_->execute(close + "DECLARE palimpsest_rows NO SCROLL CURSOR FOR " + sql, read_timeout));
}

asio::awaitable<Result<Rows>> SnapshotReader::next(std::size_t columns) {
    auto rows = co_await session_->execute(fmt::format("FETCH {} FROM palimpsest_rows", chunk_rows_), read_timeout);
    if (!rows) co_return std::unexpected(rows.error());
    std::size_t bytes = 1;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        for (std::size_t column = 0; column < columns; ++column) bytes += rows->text(row, column).size();
    }
    const auto wanted = chunk_rows_ * snapshot_chunk_bytes / bytes;
    chunk_rows_ = std::clamp(wanted, std::size_t{1}, std::min(2 * chunk_rows_, snapshot_chunk_rows_max));
    co_return *std::move(rows);
}

}  // namespace connector
