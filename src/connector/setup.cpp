#include "connector/setup.hpp"

#include <algorithm>
#include <charconv>
#include <ranges>
#include <set>

#include "protocol/json_writer.hpp"

namespace connector {
namespace {

using base::ErrorCode;
using base::fail;
using postgres::Params;
using postgres::quote_literal;
using postgres::Statement;
using namespace std::chrono_literals;

constexpr auto answer_timeout = 30s;

/// What an operator runs to begin anew, knowing that what lies between is lost to the subscribers.
std::string start_over(const Config& config, bool slot_exists) {
    const auto slot = quote_literal(config.slot);
    return fmt::format("{}DELETE FROM palimpsest.channel_tail WHERE slot = {}; DELETE FROM palimpsest.connector WHERE slot = {};",
                       slot_exists ? fmt::format("SELECT pg_drop_replication_slot({}); ", slot) : "", slot, slot);
}

}  // namespace

asio::awaitable<Result<std::optional<Lsn>>> find_slot(SessionPtr session, Config config) {
    const Statement statement{"", R"(
        SELECT plugin = 'pgoutput' AND database = current_database(), wal_status IS DISTINCT FROM 'lost', confirmed_flush_lsn
        FROM pg_replication_slots WHERE slot_name = $1)"};
    Params params{config.slot};
    auto found = co_await session->query(statement, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    if (found->empty()) co_return std::optional<Lsn>{};
    if (!found->flag(0, 0))
        co_return fail(ErrorCode::conflict, "the slot {} is another program's: it decodes another database, or not with pgoutput",
                       config.slot);
    const auto confirmed = postgres::parse_lsn(found->text(0, 2));
    if (found->flag(0, 1) && confirmed) co_return confirmed;
    co_return fail(
        ErrorCode::unable_to_recover_channel,
        "the slot {} was invalidated: the WAL it needed has been removed (max_slot_wal_keep_size), and changes after {} are lost "
        "to the channels. To go on from now, start once with --recreate-slot, or run: {}",
        config.slot, found->text(0, 2), start_over(config, true));
}

asio::awaitable<Result<Kept>> load_kept(SessionPtr session, std::string slot) {
    const Statement find{"", R"(
        SELECT (SELECT position FROM palimpsest.connector WHERE slot = $1), (SELECT token FROM palimpsest.publish_token))"};
    const Statement find_tails{"", "SELECT channel, commit_lsn, change_index FROM palimpsest.channel_tail WHERE slot = $1"};
    Params params{slot}, again{slot};
    auto found = co_await session->query(find, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    auto tails = co_await session->query(find_tails, std::move(again), answer_timeout);
    if (!tails) co_return std::unexpected(tails.error());
    Kept kept{.tails = {}, .position = postgres::parse_lsn(found->text(0, 0)), .token = std::string{found->text(0, 1)}};
    for (std::size_t i = 0; i < tails->size(); ++i) {
        const auto lsn = postgres::parse_lsn(tails->text(i, 1));
        const auto index = tails->text(i, 2);
        std::uint32_t number = 0;
        const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), number);
        if (!lsn || error != std::errc{})
            co_return fail(ErrorCode::internal_error, "palimpsest.channel_tail holds a place that is none");
        kept.tails[std::string{tails->text(i, 0)}] = {lsn->value, number};
    }
    co_return kept;
}

asio::awaitable<Result<void>> store_tails(SessionPtr session, std::string slot, Tails tails, std::optional<Lsn> position) {
    if (tails.empty() && !position) co_return Result<void>{};
    std::string rows;
    protocol::JsonWriter json{rows};
    json.array([&] {
        for (const auto& [channel, place] : tails) {
            json.element();
            json.object([&] {
                json.key("channel");
                json.text(channel);
                json.key("lsn");
                json.text(to_string(Lsn{place.commit_lsn}));
                json.key("index");
                json.json(std::to_string(place.index));
            });
        }
    });
    const Statement statement{"palimpsest_store_tails", R"(
        WITH kept AS (INSERT INTO palimpsest.connector (slot, position) SELECT $1, $2::pg_lsn WHERE $2::text IS NOT NULL
                          ON CONFLICT (slot) DO UPDATE SET position = greatest(connector.position, excluded.position))
        INSERT INTO palimpsest.channel_tail (slot, channel, commit_lsn, change_index)
        SELECT $1, channel, lsn, index FROM json_to_recordset($3::json) AS row(channel text, lsn pg_lsn, index bigint)
        ON CONFLICT (slot, channel) DO UPDATE SET commit_lsn = excluded.commit_lsn, change_index = excluded.change_index
        WHERE (excluded.commit_lsn, excluded.change_index) > (channel_tail.commit_lsn, channel_tail.change_index))"};
    Params params{slot, std::nullopt, std::move(rows)};
    if (position) params[1] = to_string(*position);
    auto stored = co_await session->query(statement, std::move(params), answer_timeout);
    if (!stored) co_return std::unexpected(stored.error());
    co_return Result<void>{};
}

asio::awaitable<Result<void>> raise_tails(SessionPtr session, std::string slot, std::string prefix, Lsn lsn) {
    const Statement statement{"", R"(
        UPDATE palimpsest.channel_tail SET commit_lsn = $3::pg_lsn, change_index = 0
        WHERE slot = $1 AND (channel = '' OR starts_with(channel, $2)) AND commit_lsn < $3::pg_lsn)"};
    Params params{slot, prefix, to_string(lsn)};
    auto raised = co_await session->query(statement, std::move(params), answer_timeout);
    if (!raised) co_return std::unexpected(raised.error());
    co_return Result<void>{};
}

asio::awaitable<Result<void>> prune_tails(SessionPtr session, std::string slot) {
    const auto sql = fmt::format(R"(
        WITH gone AS (
            DELETE FROM palimpsest.channel_tail t USING (
                SELECT channel FROM palimpsest.channel_tail WHERE slot = $1 AND channel NOT IN ('', E'\n')
                ORDER BY commit_lsn DESC, change_index DESC OFFSET {}) old
            WHERE t.slot = $1 AND t.channel = old.channel RETURNING commit_lsn, change_index)
        INSERT INTO palimpsest.channel_tail (slot, channel, commit_lsn, change_index)
        (SELECT $1, '', commit_lsn, change_index FROM gone ORDER BY commit_lsn DESC, change_index DESC LIMIT 1)
        ON CONFLICT (slot, channel) DO UPDATE SET commit_lsn = excluded.commit_lsn, change_index = excluded.change_index
        WHERE (excluded.commit_lsn, excluded.change_index) > (channel_tail.commit_lsn, channel_tail.change_index))",
                                 base::limits::channel_tails_max);
    const Statement statement{"", sql};
    Params params{slot};
    auto pruned = co_await session->query(statement, std::move(params), answer_timeout);
    if (!pruned) co_return std::unexpected(pruned.error());
    co_return Result<void>{};
}

Result<void> find_gap(const Config& config, const Kept& kept, std::optional<Lsn> slot, Lsn end_of_wal) {
    const auto lost = [&](std::string_view what) {
        return fail(ErrorCode::unable_to_recover_channel, "{}. To go on from now, start once with --recreate-slot, or run: {}", what,
                    start_over(config, slot.has_value()));
    };
    const auto last = kept.tails.empty() ? broker::WalPlace{} : std::ranges::max(std::views::values(kept.tails));
    if (!slot && (!kept.tails.empty() || kept.position)) {
        return lost(fmt::format("the slot {} is gone, and what was changed since it was dropped is lost to the channels; their last change "
                                "is at {}",
                                config.slot, to_string(Lsn{last.commit_lsn})));
    }
    if (Lsn{last.commit_lsn} > end_of_wal) {
        return lost(fmt::format("the database is at {}, before the last change that was published, {}: it was restored from a backup, or a "
                                "replica took over that did not have it",
                                to_string(end_of_wal), to_string(Lsn{last.commit_lsn})));
    }
    if (slot && kept.position && *slot > *kept.position) {
        return lost(fmt::format("the slot {} is at {}, and was never confirmed beyond {}: somebody made it anew or moved it, and the "
                                "changes between are lost to the channels",
                                config.slot, to_string(*slot), to_string(*kept.position)));
    }
    return {};
}

asio::awaitable<Result<Lsn>> skip_to_end(SessionPtr session, std::string slot) {
    const Statement statement{"", "SELECT end_lsn FROM pg_replication_slot_advance($1, pg_current_wal_flush_lsn())"};
    Params params{slot};
    auto moved = co_await session->query(statement, std::move(params), answer_timeout);
    if (!moved) co_return std::unexpected(moved.error());
    const auto end = postgres::parse_lsn(moved->text(0, 0)).value_or(Lsn{});
    Tails none;
    if (auto stored = co_await store_tails(session, slot, std::move(none), end); !stored) co_return std::unexpected(stored.error());
    co_return end;
}

asio::awaitable<Result<void>> forget_slot(SessionPtr session, std::string slot) {
    const auto name = quote_literal(slot);
    std::string sql = fmt::format("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {};", name);
    for (const auto* table : {"channel_tail", "connector", "snapshot", "snapshot_part"}) {
        sql += fmt::format("DELETE FROM palimpsest.{} WHERE slot = {};", table, name);
    }
    auto done = co_await session->execute(std::move(sql), answer_timeout);
    if (!done) co_return std::unexpected(done.error());
    co_return Result<void>{};
}

}  // namespace connector
