#pragma once

#include <cstddef>
#include <string_view>

namespace protocol {

/// How many bytes at the front of `text` stand in a JSON string for themselves and are ASCII: none that is escaped. Sixteen at a time.
std::size_t plain_prefix(std::string_view text);

/// How many bytes of `text` are escaped in a JSON string: quotes, backslashes and control characters.
std::size_t escapes_in(std::string_view text);
/// How many bytes it takes there.
std::size_t escaped_bytes(std::string_view text);
inline constexpr std::size_t escape_bytes_max = 6, escaping_slack = 16;
/// Writes `text` escaped, and gives the end of it. There is room for that, and for `escaping_slack` more, which may be written to.
char* escape(std::string_view text, char* to);

}  // namespace protocol
