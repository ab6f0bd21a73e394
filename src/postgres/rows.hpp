#pragma once

#include <charconv>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error_codes.hpp"

struct pg_result;  // libpq's PGresult

namespace postgres {

using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;

/// A statement a session prepares once and runs by its name; without a name it is parsed each time. Both texts are literals.
struct Statement {
    std::string_view name, sql;
};
/// In text form; nothing is NULL.
using Params = std::vector<std::optional<std::string>>;

/// What a statement gave back, in text form. What the accessors return lives as long as the object.
class Rows {
public:
    Rows() = default;
    explicit Rows(pg_result* owned) : result_(owned) {}

    std::size_t size() const;
    bool empty() const { return size() == 0; }
    std::optional<std::string_view> value(std::size_t row, std::size_t column) const;      // nothing is NULL
    std::string_view text(std::size_t row, std::size_t column) const { return value(row, column).value_or(""); }
    bool flag(std::size_t row, std::size_t column) const { return text(row, column) == "t"; }

private:
    struct Clear {
        void operator()(pg_result* result) const;
    };
    std::unique_ptr<pg_result, Clear> result_;
};

/// A column's value that is a number; 0 when it is none.
template <class T = std::int64_t>
T number(std::string_view text) {
    T value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}
/// A column's value that is a JSON array of texts, as json_agg() makes it.
std::vector<std::string> texts(std::string_view json);

/// Why a statement gave nothing back. `code` sorts by what the caller can do about it:
///   unavailable: the database cannot be had now (connection lost, shut down, out of resources, deadlock): try again;
///   conflict, invalid_parameter_value: it said no to these values (constraint; not a number, a trigger's RAISE): do not;
///   internal_error: anything else, such as a table that is not there.
/// The message is the server's primary one, for the log and not for a client.
struct SqlError : base::Error {
    std::string sqlstate;  // empty when not the server said it
};
using Answer = std::expected<Rows, SqlError>;

ErrorCode code_of_sqlstate(std::string_view sqlstate);
SqlError unavailable(std::string message);
/// The error a libpq result carries; of a result without a SQLSTATE: unavailable.
SqlError error_of(const pg_result* result);

/// "one line of text": what libpq says comes with line breaks.
std::string one_line(std::string_view text);

/// For what cannot be a parameter: names in DDL and in replication commands.
std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);

}  // namespace postgres
