#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong.hpp"

namespace postgres {

/// A byte position in the write-ahead log. 0 is before all of it, and no record's place.
using Lsn = base::Strong<std::uint64_t, struct LsnTag>;

/// Postgres's text form of pg_lsn: `16/B374D848`.
std::string to_string(Lsn lsn);
std::optional<Lsn> parse_lsn(std::string_view text);

}  // namespace postgres
