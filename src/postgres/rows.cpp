#include "postgres/rows.hpp"

#include <libpq-fe.h>

#include <fmt/format.h>

#include "protocol/json_reader.hpp"

namespace postgres {
namespace {

/// The detail of such an error holds values of rows, which no log may: constraints, data, a trigger's RAISE.
bool may_quote_rows(std::string_view sqlstate) {
    const auto family = sqlstate.substr(0, 2);
    return family == "23" || family == "44" || (family == "22" && sqlstate != "22023") || sqlstate == "P0001";
}

std::string quoted(std::string_view text, char quote) {
    std::string result{quote};
    for (const char each : text) {
        if (each == quote) result += quote;
        result += each;
    }
    return result += quote;
}

}  // namespace

void Rows::Clear::operator()(pg_result* result) const { PQclear(result); }

std::size_t Rows::size() const { return result_ ? static_cast<std::size_t>(PQntuples(result_.get())) : 0; }

std::optional<std::string_view> Rows::value(std::size_t row, std::size_t column) const {
    const auto r = static_cast<int>(row), c = static_cast<int>(column);
    if (PQgetisnull(result_.get(), r, c)) return std::nullopt;
    return std::string_view{PQgetvalue(result_.get(), r, c), static_cast<std::size_t>(PQgetlength(result_.get(), r, c))};
}

// PostgreSQL 15, Appendix A "PostgreSQL Error Codes".
std::vector<std::string> texts(std::string_view json) {
    std::vector<std::string> texts;
    protocol::JsonReader in{json};
    in.array([&] { return in.text(texts.emplace_back()); });
    return texts;
}

ErrorCode code_of_sqlstate(std::string_view sqlstate) {
    const auto family = sqlstate.substr(0, 2);
    if (family == "23") return ErrorCode::conflict;                                       // integrity constraint violation
    if (family == "22" || family == "44") return ErrorCode::invalid_parameter_value;      // data exception; WITH CHECK OPTION
    if (sqlstate == "P0001") return ErrorCode::invalid_parameter_value;                   // RAISE in a trigger of the user's
    if (family == "08" || family == "53" || family == "57" || family == "58") return ErrorCode::unavailable;
    if (family == "40" || sqlstate == "55P03") return ErrorCode::unavailable;             // rolled back: deadlock …; lock timeout
    return ErrorCode::internal_error;
}

SqlError unavailable(std::string message) { return {{ErrorCode::unavailable, std::move(message)}, ""}; }

SqlError error_of(const pg_result* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!state) return unavailable(one_line(PQresultErrorMessage(result)));
    std::string text{message ? message : "no message"};
    const auto add = [&](std::string_view label, int field) {
        if (const char* part = PQresultErrorField(result, field)) text += fmt::format(" ({}: {})", label, one_line(part));
    };
    if (!may_quote_rows(state)) add("detail", PG_DIAG_MESSAGE_DETAIL);
    if (std::string_view{state} != "P0001") add("hint", PG_DIAG_MESSAGE_HINT);
    return {{code_of_sqlstate(state), std::move(text)}, state};
}

std::string one_line(std::string_view text) {
    std::string result{text.substr(0, text.find_last_not_of(" \n") + 1)};
    for (auto& each : result) {
        if (each == '\n' || each == '\t') each = ' ';
    }
    return result;
}

std::string quote_identifier(std::string_view name) { return quoted(name, '"'); }
std::string quote_literal(std::string_view text) { return quoted(text, '\''); }

}  // namespace postgres
