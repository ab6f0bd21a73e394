#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "postgres/pgoutput.hpp"

namespace connector {

/// Appends a value in Postgres's text form as JSON; what each type becomes is in docs/formats.md. `type` is the oid in pg_type of one
/// that Postgres comes with; a value of any other is a text.
void append_value(std::string& out, std::uint32_t type, std::string_view text);

/// The types that a database has made itself, as far as the stream has named them.
class Types {
public:
    void learn(const postgres::pgoutput::Type& message);
    /// The type of Postgres's own that values of `type` are written as: of a domain the one below it, of other types text, and of
    /// their arrays an array of texts.
    std::uint32_t read_as(std::uint32_t type) const;

private:
    std::unordered_map<std::uint32_t, std::uint32_t> forms_;
};

}  // namespace connector
