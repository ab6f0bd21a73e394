#include "connector/publication.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "protocol/json_writer.hpp"

namespace connector {
namespace {

using base::ErrorCode;
using base::fail;
using postgres::Params;
using postgres::quote_identifier;
using postgres::number;
using postgres::quote_literal;
using postgres::Statement;
using postgres::texts;
using namespace std::chrono_literals;

constexpr auto answer_timeout = 30s;
constexpr int publication_parts_since = 150'000;  // row filters, column lists, whole schemas
constexpr std::string_view options = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

std::string id_of(const TableName& name) { return name.first + "." + name.second; }

template <class Names, class Write>
std::string json_array(const Names& names, Write write) {
    std::string text;
    protocol::JsonWriter json{text};
    json.array([&] {
        for (const auto& name : names) {
            json.element();
            write(json, name);
        }
    });
    return text;
}

Identity identity_of(const postgres::Rows& rows, std::size_t row) {
    return {.full = rows.flag(row, 7), .columns = texts(rows.text(row, 9)), .key_is_deferrable = rows.flag(row, 10)};
}

Table table_of(const postgres::Rows& rows, std::size_t row) {
    auto identity = identity_of(rows, row);
    Table table{.key = texts(rows.text(row, 8)),
                .identity = std::move(identity.columns),
                .identity_full = identity.full,
                .partitioned = rows.text(row, 5) == "p",
                .key_is_deferrable = identity.key_is_deferrable,
                .unlogged = rows.text(row, 6) == "u",
                .children = texts(rows.text(row, 14)),
                .oid = number<std::uint32_t>(rows.text(row, 4)),
                .member = number<std::uint32_t>(rows.text(row, 11)),
                .filtered_by = texts(rows.text(row, 13))};
    if (const auto listed = rows.value(row, 12)) table.listed = texts(*listed);
    const auto names = texts(rows.text(row, 15)), types = texts(rows.text(row, 16));
    for (std::size_t i = 0; i < std::min(names.size(), types.size()); ++i) {
        table.columns.push_back({names[i], number<std::uint32_t>(types[i])});
    }
    return table;
}

/// Gives the server's version too, and fails where no feed could work.
Result<int> check_server(const postgres::Session& session) {
    // A database without an encoding would let through what is not UTF-8, and JSON is.
    if (session.server_encoding() == "SQL_ASCII")
        return fail(ErrorCode::internal_error, "the database's encoding is SQL_ASCII: it needs one that has one, such as UTF8");
    return session.server_version();
}

constexpr std::string_view names_of_index = R"(
    coalesce((SELECT json_agg(a.attname ORDER BY k.at) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(number, at)
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
              WHERE i.indrelid = c.oid AND i.indisvalid AND a.attrelid = i.indrelid AND k.at <= i.indnkeyatts AND {}), '[]'))";

/// As relcache.c, RelationGetIndexList: what may be a replica identity's index.
constexpr std::string_view identity_index = R"(i.indislive AND i.indisunique AND i.indimmediate AND i.indpred IS NULL AND
    CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)";

/// The fed tables, each with its partitions behind it. No function that locks what it looks at: somebody may hold it for long.
std::string tables_sql(int version) {
    const auto key = fmt::format(names_of_index, "i.indisprimary");
    const auto identity = fmt::format(names_of_index, identity_index);
    const std::string parts = version < publication_parts_since ? "NULL, NULL," : R"(
               (SELECT json_agg(a.attname) FROM unnest(r.prattrs::int2[]) k JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k),
               (SELECT json_agg(DISTINCT a.attname) FROM regexp_matches(r.prqual::text, ':varattno ([0-9]+)', 'g') m
                JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = m[1]::int),)";
    return fmt::format(R"(
        WITH RECURSIVE wanted AS (
            SELECT c.oid, w.schema, w.name FROM json_to_recordset($1::json) AS w(schema text, name text)
            JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name),
        below (root, oid) AS (
            SELECT oid, oid FROM wanted UNION ALL
            SELECT b.root, i.inhrelid FROM below b JOIN pg_class p ON p.oid = b.oid AND p.relkind = 'p'
            JOIN pg_inherits i ON i.inhparent = b.oid AND NOT i.inhdetachpending)
        SELECT w.schema, w.name, n.nspname, c.relname, c.oid, c.relkind, c.relpersistence, c.relreplident = 'f', {}, {},
               EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND NOT i.indimmediate), r.oid, {}
               (SELECT json_agg(quote_ident(m.nspname) || '.' || quote_ident(h.relname) ORDER BY m.nspname, h.relname)
                FROM pg_inherits i JOIN pg_class h ON h.oid = i.inhrelid JOIN pg_namespace m ON m.oid = h.relnamespace
                WHERE i.inhparent = c.oid AND c.relkind = 'r'),
               (SELECT json_agg(attname ORDER BY attnum) FROM pg_attribute a
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
               (SELECT json_agg(atttypid::text ORDER BY attnum) FROM pg_attribute a
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')
        FROM wanted w JOIN below b ON b.root = w.oid JOIN pg_class c ON c.oid = b.oid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_publication_rel r ON r.prrelid = w.oid AND r.prpubid = (SELECT oid FROM pg_publication WHERE pubname = $2)
        ORDER BY 1, 2, b.oid <> b.root, 3, 4)", key, identity, parts);
}

/// As it stands in FOR TABLE and SET TABLE: children by INHERITS are not meant.
std::string only(const TableName& name, const Table& table) { return (table.partitioned ? "" : "ONLY ") + quoted(name); }

struct Wanted {
    std::set<std::uint32_t> members;
    std::string list, plain;  // with columns and filters, and without
};
Wanted wanted_of(const Config& config, const Tables& tables, int version) {
    Wanted wanted;
    for (const auto& [name, feeds] : feeds_by_table(config)) {
        const auto& table = tables.at(name);
        wanted.members.insert(table.oid);
        const auto separator = wanted.list.empty() ? "" : ", ", kind = table.partitioned ? "" : "ONLY ";
        wanted.list += std::string{separator} + kind + published(feeds, name, table, version);
        wanted.plain += separator + only(name, table);
    }
    return wanted;
}

/// What the tables are now that a transaction has changed the publication.
asio::awaitable<Result<std::map<std::uint32_t, std::uint32_t>>> memberships_after(SessionPtr session, std::string change,
                                                                                  std::string publication) {
    std::string sql = fmt::format("BEGIN; {} SELECT r.prrelid, r.oid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid "
                                  "WHERE p.pubname = {}", change, quote_literal(publication));
    auto found = co_await session->execute(std::move(sql), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    std::map<std::uint32_t, std::uint32_t> members;
    for (std::size_t i = 0; i < found->size(); ++i) {
        members[number<std::uint32_t>(found->text(i, 0))] = number<std::uint32_t>(found->text(i, 1));
    }
    co_return members;
}

asio::awaitable<void> roll_back(SessionPtr session) {
    if (session->is_open()) std::ignore = co_await session->execute("ROLLBACK", answer_timeout);
}

}  // namespace

asio::awaitable<Result<CheckedTables>> check_tables(SessionPtr session, Config config) {
    const auto version = check_server(*session);
    if (!version) co_return std::unexpected(version.error());
    const auto by_table = feeds_by_table(config);
    const auto sql = tables_sql(*version);
    const Statement statement{"palimpsest_tables", sql};
    Params params{json_array(by_table, [](protocol::JsonWriter& json, const auto& each) {
        json.object([&] {
            json.key("schema");
            json.text(each.first.first);
            json.key("name");
            json.text(each.first.second);
        });
    }), config.publication};
    const auto found = co_await session->query(statement, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    CheckedTables checked;
    for (std::size_t row = 0; row < found->size(); ++row) {
        const TableName root{found->text(row, 0), found->text(row, 1)}, name{found->text(row, 2), found->text(row, 3)};
        const char kind = found->text(row, 5).front();
        if (const auto table = checked.tables.find(root); table != checked.tables.end()) {
            table->second.partitions.push_back({name, kind, found->text(row, 6).front(), identity_of(*found, row)});
        } else if (kind == 'r' || kind == 'p') {
            checked.tables.emplace(name, table_of(*found, row));
        }
    }
    for (const auto& [name, feeds] : by_table) {
        const auto table = checked.tables.find(name);
        if (table == checked.tables.end()) {
            checked.refusals.push_back({.table = name, .says = "there is no table " + quoted(name), .sql = {}, .breaks_writes = false,
                                        .code = ErrorCode::not_found});
            continue;
        }
        std::ranges::move(refusals_of(feeds, name, table->second, config.snapshot == Snapshot::initial, *version),
                          std::back_inserter(checked.refusals));
    }
    std::ranges::move(refusals_among(checked.tables), std::back_inserter(checked.refusals));
    co_return checked;
}

asio::awaitable<Result<Publication>> find_publication(SessionPtr session, Config config) {
    const auto version = session->server_version();
    const auto sql = fmt::format(
        R"(
        SELECT p.oid IS NOT NULL, p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AND p.pubviaroot, p.puballtables, {},
               (SELECT json_agg(prrelid::text) FROM pg_publication_rel WHERE prpubid = p.oid), k.publication,
               (SELECT json_agg(key) FROM json_each_text(k.fed)), (SELECT json_agg(coalesce(value, '')) FROM json_each_text(k.fed))
        FROM (SELECT 1) one LEFT JOIN pg_publication p ON p.pubname = $1 LEFT JOIN palimpsest.connector k ON k.slot = $2)",
        version < publication_parts_since ? "false" : "EXISTS (SELECT FROM pg_publication_namespace WHERE pnpubid = p.oid)");
    const Statement statement{"palimpsest_publication", sql};
    Params params{config.publication, config.slot};
    const auto found = co_await session->query(statement, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    Publication publication{.exists = found->flag(0, 0), .all_operations = found->flag(0, 1), .all_tables = found->flag(0, 2),
                            .of_schemas = found->flag(0, 3), .members = {}, .left = std::string{found->text(0, 5)}, .fed = {}};
    for (const auto& oid : texts(found->text(0, 4))) publication.members.insert(number<std::uint32_t>(oid));
    const auto tables = texts(found->text(0, 6)), marks = texts(found->text(0, 7));
    for (std::size_t i = 0; i < std::min(tables.size(), marks.size()); ++i) publication.fed[tables[i]] = marks[i];
    co_return publication;
}

std::string change_of(const Publication& found, const Config& config, const Tables& tables, int version) {
    const auto wanted = wanted_of(config, tables, version);
    const auto publication = quote_identifier(config.publication);
    // Partitions' changes are published as their parent's.
    if (!found.exists) return fmt::format("CREATE PUBLICATION {} FOR TABLE {} WITH ({});", publication, wanted.list, options);
    const bool as_we_left_it = found.left.empty() ? wanted.list == wanted.plain : wanted.list == found.left;
    const bool breaks_writes = std::ranges::any_of(tables, [](const auto& each) { return publication_breaks_writes(each.second); });
    std::string change;
    if (found.members != wanted.members || found.of_schemas || !as_we_left_it || breaks_writes)
        change += fmt::format("ALTER PUBLICATION {} SET TABLE {};", publication, wanted.list);
    if (!found.all_operations) change += fmt::format("ALTER PUBLICATION {} SET ({});", publication, options);
    return change;
}

std::string mark_of(const Table& table) { return fmt::format("{}/{}", table.oid, table.member); }

std::set<TableName> interrupted(const Publication& found, const Tables& tables) {
    std::set<TableName> names;
    for (const auto& [name, table] : tables) {
        const auto before = found.fed.find(id_of(name));
        if (before != found.fed.end() && before->second != mark_of(table)) names.insert(name);
    }
    return names;
}

asio::awaitable<Result<Ensured>> ensure_publication(SessionPtr session, Config config, Tables tables, std::shared_ptr<std::string> futile) {
    const auto version = session->server_version();
    const auto found = co_await find_publication(session, config);
    if (!found) co_return std::unexpected(found.error());
    const auto name = quote_identifier(config.publication);
    if (found->all_tables) {
        co_return fail(ErrorCode::conflict,
                       "the publication {} is FOR ALL TABLES: UPDATE and DELETE of every table without a replica identity fail with it. "
                       "Name another one ([connector] publication), or run: DROP PUBLICATION {};",
                       name, name);
    }
    Ensured ensured{.changed = false, .tables = std::move(tables), .interrupted = {}};
    ensured.interrupted = interrupted(*found, ensured.tables);
    const auto change = change_of(*found, config, ensured.tables, version);
    if (change.empty()) co_return ensured;
    const auto wanted = wanted_of(config, ensured.tables, version);
    const auto attempt = change + fmt::format(" -- {}", fmt::join(found->members, " "));
    if (attempt == *futile) {
        co_return fail(ErrorCode::conflict,
                       "the publication {} does not become what the feeds need; this was undone, and is not tried again: {}", name, change);
    }
    // The row is there once there is a slot.
    const auto keep = fmt::format("UPDATE palimpsest.connector SET publication = {} WHERE slot = {};", quote_literal(wanted.list),
                                  quote_literal(config.slot));
    const auto members = co_await memberships_after(session, change + keep, config.publication);
    if (!members) {
        co_await roll_back(session);
        if (members.error().code == ErrorCode::unavailable) co_return std::unexpected(members.error());
        co_return fail(members.error().code,
                       "the publication {} cannot be made what the feeds need: {}. As its owner and that of the tables, run: {}", name,
                       members.error().message, change);
    }
    std::set<std::uint32_t> are;
    for (const auto& [oid, member] : *members) are.insert(oid);
    if (are != wanted.members) {
        co_await roll_back(session);
        *futile = attempt;
        co_return fail(ErrorCode::conflict,
                       "the publication {} does not become what the feeds need: it would have {} relations for {} tables. This "
                       "was undone, and is not tried again: {}",
                       name, are.size(), wanted.members.size(), change);
    }
    if (const auto done = co_await session->execute("COMMIT", answer_timeout); !done) co_return std::unexpected(done.error());
    for (auto& [each, table] : ensured.tables) table.member = members->at(table.oid);
    ensured.changed = true;
    base::log::info("at=publication_set publication={} tables={}", config.publication, wanted.plain);
    co_return ensured;
}

asio::awaitable<Result<void>> withdraw(SessionPtr session, Config config, CheckedTables checked) {
    std::set<TableName> refused;
    for (const auto& each : checked.refusals) {
        refused.insert(each.table);
        const auto table = checked.tables.find(each.table);
        if (!each.breaks_writes || table == checked.tables.end() || std::exchange(table->second.member, 0) == 0) continue;
        auto drop = fmt::format("ALTER PUBLICATION {} DROP TABLE {}", quote_identifier(config.publication),
                                only(table->first, table->second));
        auto dropped = co_await session->execute(std::move(drop), answer_timeout);
        if (!dropped) co_return std::unexpected(dropped.error());
        base::log::error("at=feed_withdrawn publication={} table={} note=\"published, it would make the application's writes fail\"",
                         config.publication, quoted(each.table));
    }
    co_return co_await mark_interrupted(session, config.slot, std::move(refused));
}

asio::awaitable<Result<void>> mark_interrupted(SessionPtr session, std::string slot, std::set<TableName> names) {
    const Statement statement{"palimpsest_interrupted", R"(
        UPDATE palimpsest.connector SET fed = (
            SELECT json_object_agg(key, CASE WHEN key IN (SELECT json_array_elements_text($2::json)) THEN '' ELSE value END)
            FROM json_each_text(fed))
        WHERE slot = $1 AND EXISTS (SELECT FROM json_each_text(fed)
                                    WHERE key IN (SELECT json_array_elements_text($2::json)) AND value <> ''))"};
    Params params{slot, json_array(names, [](protocol::JsonWriter& json, const TableName& name) { json.text(id_of(name)); })};
    auto kept = co_await session->query(statement, std::move(params), answer_timeout);
    if (!kept) co_return std::unexpected(kept.error());
    co_return Result<void>{};
}

asio::awaitable<Result<void>> store_fed(SessionPtr session, Config config, Tables tables) {
    const auto wanted = wanted_of(config, tables, session->server_version());
    std::string marks;
    protocol::JsonWriter json{marks};
    json.object([&] {
        for (const auto& [name, table] : tables) {
            json.key(id_of(name));
            json.text(mark_of(table));
        }
    });
    const Statement statement{"palimpsest_store_fed", R"(
        UPDATE palimpsest.connector SET fed = $2::json, publication = $3
        WHERE slot = $1 AND (fed::text, publication) IS DISTINCT FROM ($2::json::text, $3))"};
    Params params{config.slot, std::move(marks), wanted.list};
    auto stored = co_await session->query(statement, std::move(params), answer_timeout);
    if (!stored) co_return std::unexpected(stored.error());
    co_return Result<void>{};
}

}  // namespace connector
