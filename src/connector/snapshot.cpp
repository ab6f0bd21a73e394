#include "connector/snapshot.hpp"

#include <algorithm>
#include <charconv>

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

}  // namespace

asio::awaitable<Result<std::optional<SnapshotState>>> load_snapshot(SessionPtr session, std::string slot) {
    const Statement find{"", "SELECT start, rows, done, at_table, at_key FROM palimpsest.snapshot WHERE slot = $1"};
    const Statement find_parts{"", "SELECT consistent, from_table, from_key FROM palimpsest.snapshot_part WHERE slot = $1 ORDER BY 1"};
    Params params{slot}, again{slot};
    auto found = co_await session->query(find, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    if (found->empty()) co_return std::optional<SnapshotState>{};
    auto parts = co_await session->query(find_parts, std::move(again), answer_timeout);
    if (!parts) co_return std::unexpected(parts.error());
    SnapshotState state;
    const auto rows = found->text(0, 1);
    std::from_chars(rows.data(), rows.data() + rows.size(), state.rows);
    state.start = postgres::parse_lsn(found->text(0, 0)).value_or(Lsn{});
    state.done = found->flag(0, 2);
    state.at = place_of(*found, 0, 3);
    for (std::size_t i = 0; i < parts->size(); ++i) {
        state.parts.push_back({postgres::parse_lsn(parts->text(i, 0)).value_or(Lsn{}), place_of(*parts, i, 1)});
    }
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

asio::awaitable<Result<SnapshotState>> resume_snapshot(SessionPtr session, std::string slot, SnapshotState state, Lsn consistent) {
    state.rows += snapshot_chunk_rows_max;
    std::erase_if(state.parts, [&](const SnapshotPart& each) { return each.from == state.at; });  // it came to nothing
    state.parts.push_back({consistent, state.at});
    const Statement statement{"", R"(
        WITH gone AS (DELETE FROM palimpsest.snapshot_part WHERE slot = $1 AND coalesce(from_table, '') = $3::text
                      AND from_key::text IS NOT DISTINCT FROM $4::text),
             part AS (INSERT INTO palimpsest.snapshot_part (slot, consistent, from_table, from_key)
                      VALUES ($1, $2::pg_lsn, $3::text, $4::text::json))
        UPDATE palimpsest.snapshot SET rows = $5::bigint WHERE slot = $1)"};
    Params params{slot, to_string(consistent), state.at.table, key_param(state.at), std::to_string(state.rows)};
    auto stored = only_errors(co_await session->query(statement, std::move(params), answer_timeout));
    if (!stored) co_return std::unexpected(stored.error());
    co_return state;
}

asio::awaitable<Result<void>> store_snapshot(SessionPtr session, std::string slot, SnapshotState state, Tails tails) {
    const Statement statement{"", R"(
        UPDATE palimpsest.snapshot SET rows = $2::bigint, at_table = $3, at_key = $4::json, done = $5::boolean WHERE slot = $1)"};
    Params params{slot, std::to_string(state.rows), state.at.table, key_param(state.at), state.done ? "t" : "f"};
    auto stored = only_errors(co_await session->query(statement, std::move(params), answer_timeout));
    if (!stored) co_return stored;
    co_return co_await store_tails(session, std::move(slot), std::move(tails), std::nullopt);
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
