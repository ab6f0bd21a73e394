#include "connector/setup.hpp"

#include <algorithm>
#include <charconv>
#include <ranges>
#include <set>

#include "base/log.hpp"

namespace connector {
namespace {

using base::ErrorCode;
using base::fail;
using postgres::Params;
using postgres::quote_identifier;
using postgres::quote_literal;
using postgres::Statement;
using namespace std::chrono_literals;

constexpr auto answer_timeout = 30s;

using TableName = std::pair<std::string, std::string>;  // schema, table

std::set<TableName> fed_tables(const Config& config) {
    std::set<TableName> tables;
    for (const auto& feed : config.feeds) tables.emplace(feed.schema, feed.table);
    return tables;
}

std::string quoted(const TableName& table) { return quote_identifier(table.first) + "." + quote_identifier(table.second); }

std::string listed(const std::set<TableName>& tables) {
    std::string list;
    for (const auto& table : tables) list += (list.empty() ? "" : ", ") + quoted(table);
    return list;
}

/// What an operator runs to begin anew, knowing that what lies between is lost to the subscribers.
std::string start_over(const Config& config, bool slot_exists) {
    const auto slot = quote_literal(config.slot);
    return fmt::format("{}DELETE FROM palimpsest.channel_tail WHERE slot = {};",
                       slot_exists ? fmt::format("SELECT pg_drop_replication_slot({}); ", slot) : "", slot);
}

}  // namespace

asio::awaitable<Result<void>> check_tables(SessionPtr session, Config config) {
    const Statement statement{"", R"(
        SELECT c.relkind IN ('r', 'p'),
               c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND
                   CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2)"};
    // A database without an encoding would let through what is not UTF-8, and JSON is.
    const Statement encoding{"", "SELECT 1 WHERE current_setting('server_encoding') = 'SQL_ASCII'"};
    Params none;
    auto unencoded = co_await session->query(encoding, std::move(none), answer_timeout);
    if (!unencoded) co_return std::unexpected(unencoded.error());
    if (!unencoded->empty())
        co_return fail(ErrorCode::internal_error, "the database's encoding is SQL_ASCII: it needs one that has one, such as UTF8");

    for (const auto& table : fed_tables(config)) {
        Params name{table.first, table.second};
        auto found = co_await session->query(statement, std::move(name), answer_timeout);
        if (!found) co_return std::unexpected(found.error());
        if (found->empty() || !found->flag(0, 0)) co_return fail(ErrorCode::not_found, "there is no table {}", quoted(table));
        if (!found->flag(0, 1)) {
            co_return fail(
                ErrorCode::conflict,
                "table {} has no replica identity: published, every UPDATE and DELETE of it would fail. Give it a primary "
                "key, or run: ALTER TABLE {} REPLICA IDENTITY FULL;",
                quoted(table), quoted(table));
        }
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> ensure_publication(SessionPtr session, Config config) {
    const auto wanted = fed_tables(config);
    const auto name = quote_identifier(config.publication);
    const Statement find{"", R"(
        SELECT p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AND p.pubviaroot, n.nspname, c.relname
        FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
        LEFT JOIN pg_class c ON c.oid = r.prrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1)"};
    Params params{config.publication};
    auto found = co_await session->query(find, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());

    // Partitions' changes are published as their parent's.
    const std::string options = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";
    std::string change;
    if (found->empty()) {
        change = fmt::format("CREATE PUBLICATION {} FOR TABLE {} WITH ({})", name, listed(wanted), options);
    } else {
        std::set<TableName> published;
        for (std::size_t i = 0; i < found->size(); ++i) {
            if (found->value(i, 1)) published.emplace(found->text(i, 1), found->text(i, 2));
        }
        // Left alone when they are the same: somebody may have given them column lists and row filters.
        if (published != wanted) change += fmt::format("ALTER PUBLICATION {} SET TABLE {};", name, listed(wanted));
        if (!found->flag(0, 0)) change += fmt::format("ALTER PUBLICATION {} SET ({})", name, options);
    }
    if (change.empty()) co_return Result<void>{};
    auto changed = co_await session->execute(std::move(change), answer_timeout);
    if (!changed) co_return std::unexpected(changed.error());
    base::log::info("at=publication_set publication={} tables={}", config.publication, listed(wanted));
    co_return Result<void>{};
}

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
        "to the channels. To go on from now: {}",
        config.slot, found->text(0, 2), start_over(config, true));
}

asio::awaitable<Result<Tails>> load_tails(SessionPtr session, std::string slot) {
    const Statement statement{"", "SELECT channel, commit_lsn, change_index FROM palimpsest.channel_tail WHERE slot = $1"};
    Params params{slot};
    auto found = co_await session->query(statement, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    Tails tails;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto lsn = postgres::parse_lsn(found->text(i, 1));
        const auto index = found->text(i, 2);
        std::uint32_t number = 0;
        const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), number);
        if (!lsn || error != std::errc{})
            co_return fail(ErrorCode::internal_error, "palimpsest.channel_tail holds a place that is none");
        tails[std::string{found->text(i, 0)}] = {lsn->value, number};
    }
    co_return tails;
}

asio::awaitable<Result<void>> store_tails(SessionPtr session, std::string slot, Tails tails) {
    if (tails.empty()) co_return Result<void>{};
    // In one statement: all of them, or none.
    Params params{slot};
    std::string rows;
    for (const auto& [channel, place] : tails) {
        const auto next = params.size() + 1;
        rows += fmt::format("{}($1, ${}, ${}::pg_lsn, ${}::bigint)", rows.empty() ? "" : ", ", next, next + 1, next + 2);
        params.insert(params.end(), {channel, to_string(Lsn{place.commit_lsn}), std::to_string(place.index)});
    }
    const std::string sql =
        "INSERT INTO palimpsest.channel_tail (slot, channel, commit_lsn, change_index) VALUES " + rows +
        " ON CONFLICT (slot, channel) DO UPDATE SET commit_lsn = excluded.commit_lsn, change_index = excluded.change_index";
    const Statement statement{"", sql};
    auto stored = co_await session->query(statement, std::move(params), answer_timeout);
    if (!stored) co_return std::unexpected(stored.error());
    co_return Result<void>{};
}

Result<void> find_gap(const Config& config, const Tails& tails, bool slot_exists, Lsn end_of_wal) {
    if (tails.empty()) return {};
    const auto last = std::ranges::max(std::views::values(tails));
    if (!slot_exists) {
        return base::fail(ErrorCode::unable_to_recover_channel,
                          "the slot {} is gone, and what was changed since it was dropped is lost to the channels; their last change "
                          "is at {}. To go on from now: {}",
                          config.slot, to_string(Lsn{last.commit_lsn}), start_over(config, false));
    }
    if (Lsn{last.commit_lsn} > end_of_wal) {
        return base::fail(ErrorCode::unable_to_recover_channel,
                          "the database is at {}, before the last change that was published, {}: it was restored from a backup, or a "
                          "replica took over that did not have it. To go on from now: {}",
                          to_string(end_of_wal), to_string(Lsn{last.commit_lsn}), start_over(config, true));
    }
    return {};
}

}  // namespace connector
