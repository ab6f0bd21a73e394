#include "postgres/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace postgres {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;
using Unexpected = std::unexpected<Error>;

template <class... Args>
Unexpected malformed(fmt::format_string<Args...> format, Args&&... args) {
    return fail(ErrorCode::invalid_parameter_value, "malformed connection string: {}",
                fmt::format(format, std::forward<Args>(args)...));
}

constexpr auto encode_hint =
    "in a user name or password, write '@' as %40, '/' as %2F, ':' as %3A, '?' as %3F, '#' as %23 and '%' as %25";

/// The keywords that this libpq has.
const std::set<std::string, std::less<>>& known_keywords() {
    static const auto known = [] {
        std::set<std::string, std::less<>> names;
        const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{PQconndefaults(), &PQconninfoFree};
        if (!options) throw std::bad_alloc{};
        for (const auto* option = options.get(); option->keyword; ++option) names.insert(option->keyword);
        return names;
    }();
    return known;
}

/// What takes one of a few values; libpq would complain of any other at every attempt.
struct Choice {
    std::string_view keyword, values;  // "one, or another"
};
constexpr std::string_view tls_modes = "disable, allow, prefer, require, verify-ca, verify-full";
constexpr std::string_view tls_versions = "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3";
constexpr Choice choices[] = {
    {"sslmode", tls_modes},
    {"channel_binding", "disable, prefer, require"},
    {"gssencmode", "disable, prefer, require"},
    {"target_session_attrs", "any, read-write, read-only, primary, standby, prefer-standby"},
    {"ssl_min_protocol_version", tls_versions},
    {"ssl_max_protocol_version", tls_versions},
    {"sslcompression", "0, 1"},
    {"sslsni", "0, 1"},
    {"keepalives", "0, 1"},
};
constexpr std::string_view numbers[] = {"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count",
                                        "tcp_user_timeout"};

/// Parameters that other tools' connection strings have, and that say nothing that we need. Each alone is safe to leave out.
constexpr std::string_view ignored_parameters[] = {
    // Prisma
    "schema",
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
    "sslidentity",
    "sslaccept",
    "single_use_connections",
    // poolers and hosts
    "pgbouncer",
    "supa",
    "workaround",
    "pool_mode",
    // pgx, lib/pq
    "pool_max_conns",
    "pool_min_conns",
    "pool_max_conn_lifetime",
    "pool_max_conn_lifetime_jitter",
    "pool_max_conn_idle_time",
    "pool_health_check_period",
    "default_query_exec_mode",
    "statement_cache_capacity",
    "description_cache_capacity",
    "statement_cache_mode",
    "prefer_simple_protocol",
    "binary_parameters",
    "search_path",
    "timezone",
    "TimeZone",
    // node-postgres, postgres.js, Knex, TypeORM
    "uselibpqcompat",
    "max",
    "min",
    "idleTimeoutMillis",
    "connectionTimeoutMillis",
    "allowExitOnIdle",
    "maxUses",
    "maxLifetimeSeconds",
    "statement_timeout",
    "query_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "keepAlive",
    "keepAliveInitialDelayMillis",
    "parseInputDatesAsUTC",
    "binary",
    "encoding",
    "charset",
    "idle_timeout",
    "max_lifetime",
    "prepare",
    "fetch_types",
    "onnotice",
    "debug",
    // JDBC, R2DBC
    "currentSchema",
    "ApplicationName",
    "loginTimeout",
    "connectTimeout",
    "socketTimeout",
    "tcpKeepAlive",
    "prepareThreshold",
    "preparedStatementCacheQueries",
    "preparedStatementCacheSizeMiB",
    "reWriteBatchedInserts",
    "stringtype",
    "defaultRowFetchSize",
    "sslfactory",
    "targetServerType",
    "readOnly",
    "loggerLevel",
    "loggerFile",
    // Rails, Django, SQLAlchemy, asyncpg, Doctrine, Ecto
    "pool",
    "pool_size",
    "adapter",
    "timeout",
    "checkout_timeout",
    "reaping_frequency",
    "prepared_statements",
    "advisory_locks",
    "min_messages",
    "variables",
    "conn_max_age",
    "conn_health_checks",
    "ssl_require",
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
    "async_fallback",
    "command_timeout",
    "max_overflow",
    "pool_recycle",
    "pool_pre_ping",
    "serverVersion",
    "driver",
    "x-migrations-table",
    "x-multi-statement",
    "statement-cache-capacity",
    "application",
    "queue_target",
    "queue_interval",
};
/// Those of libpq's own that are ours to say.
constexpr std::string_view overruled[] = {"replication", "client_encoding", "fallback_application_name"};

bool is_one_of(std::string_view name, const auto& names) { return std::ranges::find(names, name) != std::end(names); }

bool is_chosen_from(std::string_view value, std::string_view values) {
    while (!values.empty()) {
        const auto each = values.substr(0, values.find(','));
        if (each == value) return true;
        values.remove_prefix(std::min(each.size() + 2, values.size()));
    }
    return false;
}

/// Gathers parameters; the last of a name counts, as with libpq.
class Parameters {
public:
    /// `number` says which one it is, where its name must not be said.
    Result<void> take(std::string name, std::string value, std::size_t number) {
        if (value.contains('\0')) return malformed("parameter {} has a NUL", number);
        if (name == "ssl") return take_ssl(std::move(value), number);
        if (name == "sslmode" && value == "no-verify") {
            value = "require";
            ignored_.emplace_back("sslmode=no-verify: taken as sslmode=require, which encrypts and does not verify either");
        }
        if (is_one_of(name, ignored_parameters)) {
            ignored_.push_back(
                name == "pgbouncer" ? name + ": a pooler does not pass replication on; give the database's own address" : name);
            return {};
        }
        if (is_one_of(name, overruled)) {
            ignored_.push_back(name);
            return {};
        }
        if (!known_keywords().contains(name)) {
            return malformed(
                "parameter {} has a name that neither libpq nor a tool known here has (it is not said here, for it may be a "
                "part of a password: {})",
                number, encode_hint);
        }
        if (auto fine = check(name, value); !fine) return fine;
        values_.insert_or_assign(std::move(name), std::move(value));
        return {};
    }
    Conninfo finish() && {
        Conninfo made{.text = {}, .ignored = std::move(ignored_)};
        if (ssl_ && !values_.contains("sslmode")) values_["sslmode"] = *ssl_;
        for (const auto& [name, value] : values_) {
            made.text += (made.text.empty() ? "" : " ") + name + "='";
            for (const char each : value) {
                if (each == '\'' || each == '\\') made.text += '\\';
                made.text += each;
            }
            made.text += '\'';
        }
        return made;
    }

private:
    /// node-postgres, postgres.js, JDBC and asyncpg have it; sslmode says more where there are both.
    Result<void> take_ssl(std::string value, std::size_t number) {
        if (value == "true" || value == "1" || value == "on" || value.empty() || value == "no-verify")
            ssl_ = "require";
        else if (value == "false" || value == "0" || value == "off")
            ssl_ = "disable";
        else if (is_chosen_from(value, tls_modes))
            ssl_ = std::move(value);
        else
            return malformed("parameter {}, ssl, is true, false or a value of sslmode", number);
        return {};
    }
    static Result<void> check(std::string_view name, std::string_view value) {
        for (const auto& choice : choices) {
            if (choice.keyword == name && !value.empty() && !is_chosen_from(value, choice.values))
                return malformed("{} is one of {}", name, choice.values);
        }
        if (is_one_of(name, numbers)) {
            int number = 0;
            const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
            if (!value.empty() && (error != std::errc{} || end != value.data() + value.size()))
                return malformed("{} is a whole number", name);
        }
        if (name == "port") return check_ports(value);
        // What is behind a "://" is another connection string, and would be quoted as a name.
        if ((name == "dbname" || name == "user" || name == "host") && value.contains("://"))
            return malformed("{} is a name, not a connection string", name);
        return {};
    }
    static Result<void> check_ports(std::string_view ports) {
        while (!ports.empty()) {
            const auto each = ports.substr(0, ports.find(','));
            int number = 0;
            const auto [end, error] = std::from_chars(each.data(), each.data() + each.size(), number);
            const bool fine =
                each.empty() || (error == std::errc{} && end == each.data() + each.size() && number > 0 && number <= 65'535);
            if (!fine) return malformed("the port, what follows the host's ':', is not a number from 1 to 65535; {}", encode_hint);
            ports.remove_prefix(std::min(each.size() + 1, ports.size()));
        }
        return {};
    }

    Values values_;
    std::vector<std::string> ignored_;
    std::optional<std::string> ssl_;
};

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        unsigned char byte = 0;
        if (i + 2 >= text.size()) return std::nullopt;
        const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
        if (error != std::errc{} || end != text.data() + i + 3 || byte == 0) return std::nullopt;
        decoded += static_cast<char>(byte);
        i += 2;
    }
    return decoded;
}

/// postgres://[user[:password]@][host[:port][,…]][/database][?name=value[&…]], as libpq reads it.
class UriReader {
public:
    explicit UriReader(std::string_view behind_scheme) : rest_(behind_scheme) {}

    Result<Conninfo> read() {
        // libpq ends the user and password at the first '@'. Another one means that it is in one of them, or in what comes behind.
        if (std::ranges::count(rest_, '@') > 1) return malformed("it has more than one '@'; {}", encode_hint);
        if (auto done = authority(); !done) return Unexpected{done.error()};
        if (auto done = database(); !done) return Unexpected{done.error()};
        if (auto done = query(); !done) return Unexpected{done.error()};
        return std::move(parameters_).finish();
    }

private:
    Result<void> take(std::string_view name, std::string_view encoded, std::string_view where) {
        auto value = percent_decoded(encoded);
        if (!value) return malformed("in {}, a '%' is not followed by two hexadecimal digits; {}", where, encode_hint);
        if (value->empty()) return {};
        return parameters_.take(std::string{name}, *std::move(value), 0);
    }
    std::string_view up_to(std::string_view ends) {
        const auto taken = rest_.substr(0, std::min(rest_.find_first_of(ends), rest_.size()));
        rest_.remove_prefix(taken.size());
        return taken;
    }
    Result<void> authority() {
        const auto at = rest_.find('@');
        if (at != rest_.npos && rest_.find('/') < at)
            return malformed("there is a '/' before the '@' that ends the user name and password; {}", encode_hint);
        if (at != rest_.npos) {
            const auto login = rest_.substr(0, at);
            const auto colon = std::min(login.find(':'), login.size());
            if (auto done = take("user", login.substr(0, colon), "the user name"); !done) return done;
            if (auto done = take("password", login.substr(std::min(colon + 1, login.size())), "the password"); !done) return done;
            rest_.remove_prefix(at + 1);
        }
        std::string hosts, ports;
        for (bool more = true; more;) {
            std::string_view host;
            if (rest_.starts_with('[')) {
                const auto end = rest_.find(']');
                if (end == rest_.npos || end == 1) return malformed("the host's '[' is not followed by an IPv6 address and ']'");
                host = rest_.substr(1, end - 1);
                rest_.remove_prefix(end + 1);
                if (!rest_.empty() && !std::string_view{":/?,"}.contains(rest_.front()))
                    return malformed("the host's ']' is followed by something that is no port, database or parameter");
            } else {
                host = up_to(":/?,");
            }
            hosts += host;
            if (rest_.starts_with(':')) {
                rest_.remove_prefix(1);
                ports += up_to("/?,");
            }
            more = rest_.starts_with(',');
            if (more) {
                rest_.remove_prefix(1);
                hosts += ',';
                ports += ',';
            }
        }
        if (auto done = take("host", hosts, "the host"); !done) return done;
        return ports.find_first_not_of(',') == ports.npos ? Result<void>{} : take("port", ports, "the port");
    }
    Result<void> database() {
        if (!rest_.starts_with('/')) return {};
        rest_.remove_prefix(1);
        return take("dbname", up_to("?"), "the database's name");
    }
    Result<void> query() {
        if (rest_.starts_with('?')) rest_.remove_prefix(1);
        for (; !rest_.empty(); rest_.remove_prefix(std::min<std::size_t>(rest_.size(), 1))) {
            const auto parameter = up_to("&");
            if (parameter.empty()) continue;
            const auto equals = parameter.find('=');
            if (equals == parameter.npos || parameter.find('=', equals + 1) != parameter.npos)
                return malformed("parameter {} is not name=value (a '=' in the value is written as %3D); {}", number_ + 1,
                                 encode_hint);
            const auto name = percent_decoded(parameter.substr(0, equals));
            auto value = percent_decoded(parameter.substr(equals + 1));
            if (!name || !value)
                return malformed("in parameter {}, a '%' is not followed by two hexadecimal digits; {}", number_ + 1, encode_hint);
            if (auto done = parameters_.take(*name, *std::move(value), ++number_); !done) return done;
        }
        return {};
    }

    std::string_view rest_;
    std::size_t number_ = 0;  // of the parameter behind the '?'
    Parameters parameters_;
};

/// keyword=value …; values may be in single quotes, and a backslash escapes.
Result<Conninfo> read_keywords(std::string_view text) {
    constexpr std::string_view blank = " \t\n\r\f\v";
    Parameters parameters;
    std::size_t at = 0, number = 0;
    const auto skip_blank = [&] { at = std::min(text.find_first_not_of(blank, at), text.size()); };
    for (skip_blank(); at < text.size(); skip_blank()) {
        ++number;
        const auto end = std::min(text.find_first_of(" \t\n\r\f\v=", at), text.size());
        std::string name{text.substr(at, end - at)};
        at = end;
        skip_blank();
        if (at == text.size() || text[at] != '=') {
            return malformed(
                "parameter {} is not keyword=value: a value with a space in it stands in single quotes, where ' is written "
                "\\' and \\ is written \\\\",
                number);
        }
        ++at;
        skip_blank();
        std::string value;
        const bool quoted = at < text.size() && text[at] == '\'';
        if (quoted) ++at;
        for (; at < text.size() && (quoted ? text[at] != '\'' : !blank.contains(text[at])); ++at) {
            if (text[at] == '\\' && at + 1 < text.size()) ++at;
            value += text[at];
        }
        if (quoted && at++ == text.size()) return malformed("the quote of parameter {} is not closed", number);
        if (auto taken = parameters.take(std::move(name), std::move(value), number); !taken) return Unexpected{taken.error()};
    }
    return std::move(parameters).finish();
}

bool is_plain_name(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char each) { return std::isalnum(each) || each == '_' || each == '-'; });
}

}  // namespace

Result<Conninfo> parse_conninfo(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    text = text.substr(0, text.find_last_not_of(blank) + 1);
    for (const std::string_view scheme : {"postgres://", "postgresql://"}) {
        if (text.starts_with(scheme)) return UriReader{text.substr(scheme.size())}.read();
    }
    const auto equals = text.find('='), scheme = text.find("://");
    if (text.starts_with('"') || text.starts_with('\'')) return malformed("it begins with a quote, which is no part of it");
    if (scheme < equals) return malformed("it begins with neither postgres:// nor postgresql://");
    if (equals != text.npos) return read_keywords(text);
    if (is_plain_name(text)) return Conninfo{.text = fmt::format("dbname='{}'", text), .ignored = {}};
    return malformed("it is neither postgres://… nor keyword=value, nor a database's name");
}

SessionParameters::SessionParameters(const std::string& conninfo, bool replication)
    : keywords{"connect_timeout",
               "keepalives_idle",
               "keepalives_interval",
               "keepalives_count",
               "tcp_user_timeout",
               "dbname",
               "fallback_application_name",
               "client_encoding",
               replication ? "replication" : nullptr,
               nullptr},
      values{"10", "30", "10", "3", "30000", conninfo.c_str(), "palimpsest", "UTF8", replication ? "database" : nullptr, nullptr} {}

}  // namespace postgres
