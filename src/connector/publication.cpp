#include "connector/publication.hpp"

#include <algorithm>
#include <charconv>

#include "base/log.hpp"
#include "connector/channel_template.hpp"
#include "protocol/json_reader.hpp"

namespace connector {
namespace {

using base::ErrorCode;
using base::fail;
using postgres::Params;
using postgres::quote_identifier;
using postgres::Statement;
using namespace std::chrono_literals;

constexpr auto answer_timeout = 30s;
constexpr int row_filters_since = 150'000;
constexpr int column_lists_since = 150'002;  // before, those of partitioned tables were sent with the wrong columns

std::map<TableName, std::vector<Feed>> feeds_by_table(const Config& config) {
    std::map<TableName, std::vector<Feed>> tables;
    for (const auto& feed : config.feeds) tables[{feed.schema, feed.table}].push_back(feed);
    return tables;
}

bool has(const std::vector<std::string>& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }

void add(std::vector<std::string>& names, const std::vector<std::string>& more) {
    for (const auto& name : more) {
        if (!has(names, name)) names.push_back(name);
    }
}

template <class T>
T number(std::string_view text) {
    T value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::vector<std::string> names_of(std::string_view json) {
    std::vector<std::string> names;
    protocol::JsonReader in{json};
    in.array([&] { return in.text(names.emplace_back()); });
    return names;
}

Table table_of(const postgres::Rows& rows) {
    Table table{.key = names_of(rows.text(0, 2)), .identity = names_of(rows.text(0, 3)), .identity_full = rows.flag(0, 1),
                .partitioned = rows.text(0, 0) == "p"};
    const auto names = names_of(rows.text(0, 4)), types = names_of(rows.text(0, 5));
    for (std::size_t i = 0; i < std::min(names.size(), types.size()); ++i) {
        table.columns.push_back({names[i], number<std::uint32_t>(types[i])});
    }
    return table;
}

/// What rows are addressed by: the columns in channels' names and, where rows are messages, their key.
std::vector<std::string> addressing(const Feed& feed, const Table& table) {
    std::vector<std::string> columns;
    if (const auto channel = ChannelTemplate::parse(feed.channel)) columns = channel->columns();
    if (feed.payload == Payload::message) add(columns, table.key);
    return columns;
}

std::string full_identity(const TableName& name) { return "ALTER TABLE " + quoted(name) + " REPLICA IDENTITY FULL;"; }

/// Gives the server's version too, and fails where no feed could work.
asio::awaitable<Result<int>> check_server(SessionPtr session) {
    const Statement statement{"", "SELECT current_setting('server_version_num'), current_setting('server_encoding')"};
    Params none;
    auto found = co_await session->query(statement, std::move(none), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    // A database without an encoding would let through what is not UTF-8, and JSON is.
    if (found->text(0, 1) == "SQL_ASCII")
        co_return fail(ErrorCode::internal_error, "the database's encoding is SQL_ASCII: it needs one that has one, such as UTF8");
    co_return number<int>(found->text(0, 0));
}

constexpr std::string_view names_of_index = R"(
    coalesce((SELECT json_agg(a.attname ORDER BY k.at) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(number, at)
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
              WHERE i.indrelid = c.oid AND i.indisvalid AND a.attrelid = i.indrelid AND k.at <= i.indnkeyatts AND {}), '[]'))";

}  // namespace

std::string quoted(const TableName& table) { return quote_identifier(table.first) + "." + quote_identifier(table.second); }

asio::awaitable<Result<Tables>> check_tables(SessionPtr session, Config config) {
    const auto key = fmt::format(names_of_index, "i.indisprimary");
    const auto identity = fmt::format(
        names_of_index, "CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END");
    const auto sql = fmt::format(R"(
        SELECT c.relkind, c.relreplident = 'f', {}, {},
               (SELECT json_agg(attname ORDER BY attnum) FROM pg_attribute a
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
               (SELECT json_agg(atttypid::text ORDER BY attnum) FROM pg_attribute a
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2)", key, identity);
    const Statement statement{"", sql};
    const auto version = co_await check_server(session);
    if (!version) co_return std::unexpected(version.error());
    Tables tables;
    for (const auto& [name, feeds] : feeds_by_table(config)) {
        Params params{name.first, name.second};
        auto found = co_await session->query(statement, std::move(params), answer_timeout);
        if (!found) co_return std::unexpected(found.error());
        if (found->empty() || (found->text(0, 0) != "r" && found->text(0, 0) != "p")) {
            co_return fail(ErrorCode::not_found, "there is no table {}", quoted(name));
        }
        const auto table = table_of(*found);
        const bool snapshot = config.snapshot == Snapshot::initial;
        if (auto usable = check_feeds(feeds, name, table, snapshot, *version); !usable) co_return std::unexpected(usable.error());
        tables.emplace(name, table);
    }
    co_return tables;
}

Result<void> check_feeds(const std::vector<Feed>& feeds, const TableName& name, const Table& table, bool snapshot, int version) {
    if (!table.identity_full && table.identity.empty()) {
        return fail(ErrorCode::conflict,
                    "table {} has no replica identity: published, every UPDATE and DELETE of it would fail. Give it a primary "
                    "key, or run: {}",
                    quoted(name), full_identity(name));
    }
    const bool rows_need_key = std::ranges::any_of(feeds, [](const Feed& each) { return each.payload == Payload::message; });
    if (table.key.empty() && (rows_need_key || snapshot)) {
        return fail(ErrorCode::conflict, "table {} has no primary key, which {} needs: ALTER TABLE {} ADD PRIMARY KEY (…);", quoted(name),
                    rows_need_key ? "payload = \"message\"" : "snapshot = \"initial\"", quoted(name));
    }
    for (const auto& feed : feeds) {
        auto named = feed.columns;
        add(named, addressing(feed, table));
        for (const auto& column : named) {
            if (std::ranges::find(table.columns, column, &Table::Column::name) == table.columns.end()) {
                return fail(ErrorCode::not_found, "table {} has no column {} that is published", quoted(name), quote_identifier(column));
            }
        }
        const bool known_of_old = table.identity_full || std::ranges::all_of(addressing(feed, table), [&](const std::string& column) {
            return has(table.identity, column);
        });
        if ((feed.updates || feed.deletes) && !known_of_old) {
            return fail(ErrorCode::conflict,
                        "table {} is fed to \"{}\", and an UPDATE or DELETE does not say where the row was: what names it is not in the "
                        "replica identity. Run: {}",
                        quoted(name), feed.channel, full_identity(name));
        }
        if (feed.where != feeds.front().where) {
            return fail(ErrorCode::conflict, "the feeds of table {} differ in \"where\": a publication has one filter for a table",
                        quoted(name));
        }
        if (feed.where.empty()) continue;
        if (version < row_filters_since) {
            return fail(ErrorCode::conflict,
                        "table {} is fed with \"where\", which is a publication's row filter: Postgres has them from 15 on",
                        quoted(name));
        }
        if (!table.identity_full) {
            return fail(ErrorCode::conflict,
                        "table {} is fed with \"where\": its filter would make UPDATE and DELETE fail where it looks at a column outside "
                        "the replica identity. Run: {}",
                        quoted(name), full_identity(name));
        }
    }
    return {};
}

std::string published(const std::vector<Feed>& feeds, const TableName& name, const Table& table, int version) {
    auto text = quoted(name);
    const bool some = std::ranges::none_of(feeds, [](const Feed& each) { return each.columns.empty(); });
    if (some && version >= column_lists_since && !table.identity_full && !table.partitioned) {
        std::vector<std::string> columns;
        for (const auto& feed : feeds) {
            add(columns, feed.columns);
            add(columns, addressing(feed, table));
        }
        add(columns, table.identity);
        add(columns, table.key);
        std::string list;
        for (const auto& column : columns) list += (list.empty() ? "" : ", ") + quote_identifier(column);
        text += " (" + list + ")";
    }
    if (const auto& where = feeds.front().where; !where.empty()) text += " WHERE (" + where + ")";
    return text;
}

asio::awaitable<Result<bool>> ensure_publication(SessionPtr session, Config config, Tables tables) {
    const auto version = co_await check_server(session);
    if (!version) co_return std::unexpected(version.error());
    std::set<TableName> wanted;
    std::string list, plain;
    for (const auto& [name, feeds] : feeds_by_table(config)) {
        wanted.insert(name);
        list += (list.empty() ? "" : ", ") + published(feeds, name, tables.at(name), *version);
        plain += (plain.empty() ? "" : ", ") + quoted(name);
    }
    const Statement find{"", R"(
        SELECT p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AND p.pubviaroot, n.nspname, c.relname,
               (SELECT publication FROM palimpsest.connector WHERE slot = $2)
        FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
        LEFT JOIN pg_class c ON c.oid = r.prrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1)"};
    Params params{config.publication, config.slot};
    auto found = co_await session->query(find, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());

    // Partitions' changes are published as their parent's.
    const std::string options = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";
    const auto publication = quote_identifier(config.publication);
    std::string change;
    if (found->empty()) {
        change = fmt::format("CREATE PUBLICATION {} FOR TABLE {} WITH ({});", publication, list, options);
    } else {
        std::set<TableName> there;
        for (std::size_t i = 0; i < found->size(); ++i) {
            if (found->value(i, 1)) there.emplace(found->text(i, 1), found->text(i, 2));
        }
        const auto ours = found->text(0, 3);
        const bool as_we_left_it = ours.empty() ? list == plain : list == ours;
        if (there != wanted || !as_we_left_it) change += fmt::format("ALTER PUBLICATION {} SET TABLE {};", publication, list);
        if (!found->flag(0, 0)) change += fmt::format("ALTER PUBLICATION {} SET ({});", publication, options);
    }
    if (change.empty()) co_return false;
    // In one transaction; the row is there once there is a slot.
    change += fmt::format("UPDATE palimpsest.connector SET publication = {} WHERE slot = {}", postgres::quote_literal(list),
                          postgres::quote_literal(config.slot));
    auto changed = co_await session->execute(std::move(change), answer_timeout);
    if (!changed) co_return std::unexpected(changed.error());
    base::log::info("at=publication_set publication={} tables={}", config.publication, plain);
    co_return true;
}

}  // namespace connector
