#include "postgres/migrate.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/log.hpp"
#include "postgres/conninfo.hpp"

namespace postgres {
namespace {

using Connection = std::unique_ptr<PGconn, decltype([](PGconn* connection) { PQfinish(connection); })>;

constexpr auto prepare = R"(
    SELECT pg_advisory_lock(7032511404912);  -- any number, as long as it is this one; let go of with the connection
    CREATE SCHEMA IF NOT EXISTS palimpsest;
    CREATE TABLE IF NOT EXISTS palimpsest.schema_version (
        version    int PRIMARY KEY,
        title      text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now());
    SELECT version FROM palimpsest.schema_version ORDER BY version)";

/// As after DROP SCHEMA public CASCADE. The migration that makes them can be run again: it takes up what is there.
constexpr auto chat_is_missing =
    "SELECT to_regclass('public.chat_data') IS NULL OR to_regclass('public.chat_data_versions') IS NULL";
bool is_chat(int version) {
    return std::ranges::any_of(migrations(), [&](const Migration& each) { return each.version == version && each.title == "chat"; });
}

/// By their titles: those of the connector's tables.
bool is_wanted(const Migration& migration, Schema schema) {
    return schema == Schema::whole || migration.title == "channel-tail" || migration.title.starts_with("connector");
}

Answer execute(const Connection& connection, const std::string& sql) {
    PGresult* const result = PQexec(connection.get(), sql.c_str());
    Rows rows{result};
    const auto status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return rows;
    return std::unexpected(error_of(result));
}

}  // namespace

Result<void> migrate(const std::string& conninfo, Schema schema) {
    const SessionParameters parameters{conninfo};
    const Connection connection{PQconnectdbParams(parameters.keywords.data(), parameters.values.data(), /*expand_dbname=*/1)};
    if (PQstatus(connection.get()) != CONNECTION_OK)
        return fail(ErrorCode::unavailable, "{}", one_line(PQerrorMessage(connection.get())));
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    if (const auto set = execute(connection, session_settings); !set) return std::unexpected(set.error());
    const auto prepared = execute(connection, prepare);
    if (!prepared) return std::unexpected(prepared.error());
    std::set<int> applied;
    for (std::size_t i = 0; i < prepared->size(); ++i) applied.insert(std::atoi(std::string{prepared->text(i, 0)}.c_str()));
    if (schema == Schema::whole && !applied.empty()) {
        const auto missing = execute(connection, chat_is_missing);
        if (!missing) return std::unexpected(missing.error());
        if (missing->flag(0, 0) && std::erase_if(applied, is_chat) > 0)
            base::log::warn("at=chat_tables_missing note=\"somebody has dropped them: they are made anew, without rows\"");
    }
    const int newest = migrations().empty() ? 0 : migrations().back().version;
    if (!applied.empty() && *applied.rbegin() > newest) {
        return fail(ErrorCode::conflict,
                    "the database's schema is newer than this program: it has version {} of the schema palimpsest, and this program knows "
                    "up to version {}. Start a palimpsest that knows version {}, as the one that migrated this database does",
                    *applied.rbegin(), newest, *applied.rbegin());
    }
    for (const auto& migration : migrations()) {
        const auto& [version, title, sql] = migration;
        if (applied.contains(version) || !is_wanted(migration, schema)) continue;
        const auto done = execute(connection, fmt::format("BEGIN;\n{}\n;INSERT INTO palimpsest.schema_version (version, title) "
                                                          "VALUES ({}, {}) ON CONFLICT DO NOTHING;\nCOMMIT",
                                                          sql, version, quote_literal(title)));
        const auto code = !done && done.error().code == ErrorCode::unavailable ? ErrorCode::unavailable : ErrorCode::internal_error;
        if (!done) return fail(code, "migration {:04}-{}: {}", version, title, done.error().message);
        base::log::info("at=migrated version={} title={}", version, title);
    }
    return {};
}

}  // namespace postgres
