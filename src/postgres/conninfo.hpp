#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/rows.hpp"

namespace postgres {

/// A connection string, taken apart by us: of one that it does not understand, libpq quotes a part, which may be the password's.
struct Conninfo {
    std::string text;                  // for libpq, in its keyword='value' form
    std::vector<std::string> ignored;  // what other tools' parameters it had that mean nothing here, each with the reason
};

/// Takes libpq's two forms, postgres://user:password@host:port/database?parameter=value and keyword=value, and a database's plain
/// name; and the parameters that other tools add to them. Error: invalid_parameter_value. It says what is malformed and where, and no
/// part of the text but the names of parameters that are known.
Result<Conninfo> parse_conninfo(std::string_view text);

/// Of every session of ours, for libpq's PQconnect…Params. What stands before the connection string that may change; what stands behind
/// it, it may not. Borrows it.
struct SessionParameters {
    explicit SessionParameters(const std::string& conninfo, bool replication = false);
    std::array<const char*, 10> keywords, values;
};

/// What each session sets first: what is read and written must not depend on how the server, the database or the role is set up. Times
/// are in ISO 8601 and UTC, literals are standard, sessions may write, and only we say how long something may take. Without jit: of a look
/// into the catalogue Postgres expects too much, and compiles for seconds what it then does in milliseconds.
inline constexpr auto session_settings =
    "SET statement_timeout = 0; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; "
    "SET extra_float_digits = 3; SET bytea_output = 'hex'; SET standard_conforming_strings = on; "
    "SET default_transaction_read_only = off; SET jit = off; "
    "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ("
    "'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')";

}  // namespace postgres
