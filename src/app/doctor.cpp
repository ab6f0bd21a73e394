#include "app/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "app/connector_config.hpp"
#include "app/doctor_report.hpp"
#include "connector/publication.hpp"
#include "postgres/session.hpp"
#include "rest/answer.hpp"
#include "rest/rest_sink.hpp"

namespace app {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using base::Result;
using Level = Finding::Level;
using SessionPtr = std::shared_ptr<postgres::Session>;
using postgres::Params;
using postgres::number;
using postgres::Rows;
using postgres::Statement;

constexpr auto patience = 10s;

int small_number(std::string_view text) { return static_cast<int>(number(text)); }

/// The palimpsest schema may not be there yet, so what is in it is asked for apart.
constexpr auto about_server = R"(
    SELECT current_user, current_database(), current_setting('server_version'), current_setting('server_version_num'),
           current_setting('wal_level'), current_setting('server_encoding'), current_setting('synchronous_commit'),
           current_setting('max_slot_wal_keep_size'),
           (SELECT CASE WHEN setting = '-1' THEN -1 ELSE setting::bigint * 1048576 END
            FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
           r.rolsuper,
           r.rolreplication OR EXISTS (SELECT FROM pg_roles g WHERE g.rolname = 'rds_replication' AND pg_has_role(g.oid, 'MEMBER')),
           has_database_privilege(current_database(), 'CREATE'), pg_is_in_recovery(),
           coalesce(inet_client_addr() << '127.0.0.0/8' OR inet_client_addr() = '::1', true),
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
           current_setting('max_replication_slots'), (SELECT count(*) FROM pg_replication_slots),
           current_setting('max_wal_senders'), (SELECT count(*) FROM pg_stat_replication),
           to_regclass('palimpsest.channel_tail') IS NOT NULL
    FROM pg_roles r WHERE r.rolname = current_user)";

constexpr auto about_slot = R"(
    SELECT plugin = 'pgoutput' AND database = current_database(), active, coalesce(wal_status, ''),
           coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                                    confirmed_flush_lsn), 0)::bigint,
           safe_wal_size
    FROM pg_replication_slots WHERE slot_name = $1)";

constexpr auto about_publication = R"(
    SELECT pg_has_role(pubowner, 'USAGE'), pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot
    FROM pg_publication WHERE pubname = $1)";

constexpr auto about_strangers = R"(
    SELECT n.nspname, c.relname FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.pubname = $1 AND (p.pubupdate OR p.pubdelete) AND c.relkind = 'r' AND c.relreplident <> 'f' AND NOT EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND i.indisunique AND i.indpred IS NULL AND
            CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
    ORDER BY 1, 2)";

constexpr auto about_table = R"(
    SELECT c.relkind IN ('r', 'p'), pg_has_role(c.relowner, 'USAGE'),
           EXISTS (SELECT FROM pg_publication_tables p WHERE p.pubname = $3 AND p.schemaname = n.nspname AND p.tablename = c.relname),
           c.relreplident, c.relreplident = 'f' OR i.indexrelid IS NOT NULL,
           (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisvalid AND
        CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
    WHERE n.nspname = $1 AND c.relname = $2)";

constexpr auto about_triggers = R"(
    SELECT quote_ident(t.tgname), t.tgrelid::regclass FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE p.proname = 'ably_notify' AND NOT t.tgisinternal ORDER BY 2, 1)";
constexpr auto about_functions =
    "SELECT oid::regprocedure FROM pg_proc WHERE proname = 'ably_notify' AND prorettype = 'trigger'::regtype ORDER BY 1";
constexpr auto about_control_tables =
    "SELECT oid::regclass FROM pg_class WHERE relname = 'ablycontroltable' AND relkind = 'r' ORDER BY 1";

void read_server(const Rows& rows, DatabaseFacts& facts) {
    const auto text = [&](std::size_t column) { return std::string{rows.text(0, column)}; };
    facts.role = text(0);
    facts.database = text(1);
    facts.version = text(2).substr(0, text(2).find(' '));
    facts.version_number = small_number(rows.text(0, 3));
    facts.wal_level = text(4);
    facts.encoding = text(5);
    facts.synchronous_commit = text(6);
    facts.keep_size = text(7);
    facts.keep_bytes = number(rows.text(0, 8));
    facts.superuser = rows.flag(0, 9);
    facts.replication = rows.flag(0, 10);
    facts.may_create = rows.flag(0, 11);
    facts.in_recovery = rows.flag(0, 12);
    facts.local = rows.flag(0, 13);
    facts.tls = rows.flag(0, 14);
    facts.slots_max = small_number(rows.text(0, 15));
    facts.slots_used = small_number(rows.text(0, 16));
    facts.senders_max = small_number(rows.text(0, 17));
    facts.senders_used = small_number(rows.text(0, 18));
}

/// Of each table once, whatever it is fed to.
std::vector<TableFacts> tables_of(const Config& config) {
    std::vector<TableFacts> tables;
    for (const auto& table : config.tables) {
        auto found = std::ranges::find_if(
            tables, [&](const auto& each) { return each.schema == table.schema && each.table == table.table; });
        if (found == tables.end()) found = tables.insert(found, TableFacts{.schema = table.schema, .table = table.table});
        found->updates = found->updates || std::ranges::find(table.operations, "update") != table.operations.end();
        found->deletes = found->deletes || std::ranges::find(table.operations, "delete") != table.operations.end();
    }
    return tables;
}

bool verifies(const std::string& conninfo) {
    const char* const mode = std::getenv("PGSSLMODE");
    return conninfo.contains("verify-full") || (mode && std::string_view{mode} == "verify-full");
}

/// Asks a database all that there is to know of it. Outlives its coroutines.
class Examination {
public:
    Examination(asio::io_context& io, const Config& config) : session_(postgres::Session::make(io)), config_(config) {}

    asio::awaitable<void> run() {
        if (auto done = co_await all(); !done)
            result = std::unexpected(done.error());
        else
            result = std::move(facts_);
        session_->close();
    }
    Result<DatabaseFacts> result;

private:
    asio::awaitable<Result<Rows>> ask(const char* sql, Params params) {
        const Statement statement{"", sql};
        auto rows = co_await session_->query(statement, std::move(params), patience);
        if (rows) co_return *std::move(rows);
        co_return std::unexpected(base::Error{rows.error().code, rows.error().message});
    }

    asio::awaitable<Result<void>> all() {
        postgres::ConnectOptions options{.conninfo = config_.database_url};
        if (const auto connected = co_await session_->connect(std::move(options)); !connected)
            co_return std::unexpected(connected.error());
        Params none;
        const auto server = co_await ask(about_server, std::move(none));
        if (!server) co_return std::unexpected(server.error());
        read_server(*server, facts_);
        facts_.verified = verifies(config_.database_url);
        if (const auto seen = co_await tables(); !seen) co_return std::unexpected(seen.error());
        if (const auto seen = co_await slot(server->flag(0, 19)); !seen) co_return std::unexpected(seen.error());
        co_return co_await original();
    }

    asio::awaitable<Result<void>> tables() {
        facts_.tables = tables_of(config_);
        for (auto& table : facts_.tables) {
            Params params{table.schema, table.table, config_.publication};
            const auto rows = co_await ask(about_table, std::move(params));
            if (!rows) co_return std::unexpected(rows.error());
            if (rows->empty()) continue;
            table.exists = true;
            table.is_table = rows->flag(0, 0);
            table.owned = rows->flag(0, 1);
            table.published = rows->flag(0, 2);
            table.identity = rows->text(0, 3).front();
            table.has_identity = rows->flag(0, 4);
            table.key = rows->text(0, 5);
        }
        co_return co_await as_the_connector_sees_them();
    }

    asio::awaitable<Result<void>> as_the_connector_sees_them() {
        if (config_.tables.empty()) co_return Result<void>{};
        auto feeds = connector_config(config_, "", "");
        const auto checked = co_await connector::check_tables(session_, feeds);
        if (!checked) co_return Result<void>{};  // the server cannot be fed from at all, which is told elsewhere
        for (auto& table : facts_.tables) {
            const connector::TableName name{table.schema, table.table};
            const auto own_identity = fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL;", connector::quoted(name));
            for (const auto& each : checked->refusals) {
                const bool told_elsewhere = !table.exists || !table.is_table || (!table.has_identity && each.sql == own_identity);
                if (each.table == name && !told_elsewhere) table.problems.push_back({each.says, each.sql});
            }
            const auto found = checked->tables.find(name);
            if (found == checked->tables.end()) continue;
            table.children = found->second.children;
            if (!table.problems.empty() || !table.has_identity) continue;
            if (auto refused = co_await refusal_of_filter(feeds, name, found->second)) table.problems.push_back(*std::move(refused));
        }
        co_return Result<void>{};
    }

    /// What Postgres says to a publication with the feed's row filter: one that is made and taken back.
    asio::awaitable<std::optional<TableFacts::Problem>> refusal_of_filter(connector::Config config, connector::TableName name,
                                                                          connector::Table table) {
        const auto feeds = connector::feeds_by_table(config).at(name);
        const bool may = facts_.may_create || facts_.superuser;
        if (feeds.front().where.empty() || !may || facts_.in_recovery) co_return std::nullopt;
        std::string sql = "BEGIN; SET LOCAL lock_timeout = '2s'; CREATE PUBLICATION palimpsest_doctor FOR TABLE " +
                          connector::published(feeds, name, table, facts_.version_number);
        const auto made = co_await session_->execute(std::move(sql), patience);
        std::ignore = co_await session_->execute("ROLLBACK", patience);
        const bool is_told = made || made.error().sqlstate == "42501" || made.error().code == base::ErrorCode::unavailable;
        if (is_told) co_return std::nullopt;
        TableFacts::Problem problem{"Postgres refuses the filter: " + made.error().message, "change \"where\" in the configuration"};
        co_return problem;
    }

    asio::awaitable<Result<void>> slot(bool has_schema) {
        Params slot_name{config_.slot};
        const auto found = co_await ask(about_slot, std::move(slot_name));
        if (!found) co_return std::unexpected(found.error());
        if (!found->empty()) {
            facts_.slot =
                SlotFacts{.ours = found->flag(0, 0),
                          .active = found->flag(0, 1),
                          .wal_status = std::string{found->text(0, 2)},
                          .lag_bytes = number(found->text(0, 3)),
                          .safe_wal_bytes = found->value(0, 4).transform([](std::string_view text) { return number(text); })};
        }
        Params publication_name{config_.publication};
        const auto publication = co_await ask(about_publication, std::move(publication_name));
        if (!publication) co_return std::unexpected(publication.error());
        if (!publication->empty())
            facts_.publication = PublicationFacts{.owned = publication->flag(0, 0), .all_operations = publication->flag(0, 1)};
        Params strangers_of{config_.publication};
        const auto strangers = co_await ask(about_strangers, std::move(strangers_of));
        if (!strangers) co_return std::unexpected(strangers.error());
        for (std::size_t i = 0; facts_.publication && i < strangers->size(); ++i) {
            const bool is_fed = std::ranges::any_of(facts_.tables, [&](const TableFacts& each) {
                return each.schema == strangers->text(i, 0) && each.table == strangers->text(i, 1);
            });
            const connector::TableName name{strangers->text(i, 0), strangers->text(i, 1)};
            if (!is_fed) facts_.publication->strangers.push_back(connector::quoted(name));
        }
        if (!has_schema) co_return Result<void>{};
        Params tails_of{config_.slot};
        const auto tails = co_await ask("SELECT 1 FROM palimpsest.channel_tail WHERE slot = $1 LIMIT 1", std::move(tails_of));
        facts_.published_before = tails && !tails->empty();  // a role that may not read it is told so by the connector
        co_return Result<void>{};
    }

    asio::awaitable<Result<void>> original() {
        Params none;
        const auto triggers = co_await ask(about_triggers, none);
        if (!triggers) co_return std::unexpected(triggers.error());
        const auto functions = co_await ask(about_functions, none);
        if (!functions) co_return std::unexpected(functions.error());
        const auto tables = co_await ask(about_control_tables, none);
        if (!tables) co_return std::unexpected(tables.error());
        auto& found = facts_.original;
        for (std::size_t i = 0; i < triggers->size(); ++i) {
            found.triggers.push_back({std::string{triggers->text(i, 0)}, std::string{triggers->text(i, 1)}});
        }
        for (std::size_t i = 0; i < functions->size(); ++i) found.functions.emplace_back(functions->text(i, 0));
        for (std::size_t i = 0; i < tables->size(); ++i) found.control_tables.emplace_back(tables->text(i, 0));
        co_return Result<void>{};
    }

    SessionPtr session_;
    const Config& config_;
    DatabaseFacts facts_;
};

Findings look_at_database(asio::io_context& io, const Config& config) {
    if (config.database_url.empty()) {
        return {{.level = Level::warning,
                 .about = "database",
                 .says = "none is configured: palimpsest up starts a private one",
                 .mend = "palimpsest doctor --database-url postgres://…"}};
    }
    Examination examination{io, config};
    postgres::spawn(io, examination.run());
    io.run();
    io.restart();
    const auto& facts = examination.result;
    if (!facts) {
        return {{.level = Level::bad,
                 .about = "database",
                 .says = facts.error().message,
                 .mend = "check host, port, user and password: psql 'the same connection string'"}};
    }
    auto findings = diagnose(config, *facts);
    findings.insert(findings.begin(), {.level = Level::good,
                                       .about = "database",
                                       .says = fmt::format("connected to {} as {}", facts->database, facts->role),
                                       .mend = {}});
    return findings;
}

Result<rest::HttpAnswer> call(asio::io_context& io, rest::HttpCall wanted) {
    Result<rest::HttpAnswer> answer;
    rest::HttpClient http{io};
    wanted.timeout = patience;
    http.call(std::move(wanted), [&](Result<rest::HttpAnswer> got) { answer = std::move(got); });
    io.run();
    io.restart();
    return answer;
}

Findings look_at_endpoint(asio::io_context& io, const Config& config) {
    if (config.endpoint.key.empty()) return {};
    const rest::Endpoint endpoint{
        .host = config.endpoint.host, .port = config.endpoint.port, .tls = config.endpoint.tls, .key = config.endpoint.key};
    const auto where = endpoint.url("");
    const auto time = call(io, {.url = endpoint.url("/time")});
    if (const auto refusal = rest::refusal_of(time)) {
        return {{.level = Level::bad,
                 .about = "endpoint",
                 .says = fmt::format("{} does not answer: {}", where, refusal->message),
                 .mend = fmt::format("curl -v {}", endpoint.url("/time"))}};
    }
    Findings findings{{.level = Level::good, .about = "endpoint", .says = where + " answers", .mend = {}}};
    if (!endpoint.tls)
        findings.push_back({.level = Level::warning,
                            .about = "endpoint",
                            .says = "the API key goes there unencrypted",
                            .mend = "leave --no-tls away, unless it is this machine or a private network"});
    // A batch of nothing: it publishes nothing, and is looked at only when the key is good.
    const auto publish = call(io, {.method = "POST",
                                   .url = endpoint.url("/messages"),
                                   .headers = {"Content-Type: application/json", "X-Ably-Version: 3", endpoint.authorization()},
                                   .body = "[]"});
    const auto refusal = rest::refusal_of(publish);
    const bool taken = !refusal || rest::remedy_of(*refusal) == rest::Remedy::none;
    if (taken) {
        findings.push_back({.level = Level::good, .about = "key", .says = "accepted", .mend = {}});
    } else {
        findings.push_back(
            {.level = Level::bad,
             .about = "key",
             .says = fmt::format("refused: {} ({})", refusal->message, refusal->code),
             .mend = "take a key with the publish capability from the endpoint's operator: ABLY_API_KEY=appId.keyId:secret"});
    }
    return findings;
}

}  // namespace

int doctor(const Config& config, bool json) {
    asio::io_context io{1};
    auto findings = look_at_database(io, config);
    for (auto& each : look_at_endpoint(io, config)) findings.push_back(std::move(each));
    const bool coloured = ::isatty(STDOUT_FILENO) == 1 && !std::getenv("NO_COLOR");
    const auto text = json ? to_json(findings) + "\n" : to_text(findings, coloured);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    return is_well(findings) ? 0 : 1;
}

}  // namespace app
