#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connector/types.hpp"

namespace connector {

/// Appends a value in Postgres's text form as JSON; what each type becomes is in docs/formats.md. `type` is an oid in pg_type; a value
/// of a type that is neither a scalar of Postgres's own nor in `types` is a text.
void append_value(std::string& out, const Types& types, std::uint32_t type, std::string_view text);

}  // namespace connector
