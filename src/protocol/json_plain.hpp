#pragma once

#include <cstddef>
#include <string_view>

namespace protocol {

/// How many bytes at the front of `text` stand in a JSON string for themselves and are ASCII: none that is escaped. Sixteen at a time.
std::size_t plain_prefix(std::string_view text);

}  // namespace protocol
