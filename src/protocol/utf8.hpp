#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace protocol {

/// How many bytes the character at the front of `text` takes; 0 when it is not well-formed UTF-8 (Unicode 15, table 3-7:
/// no overlong forms, no surrogates, nothing above U+10FFFF) or `text` is empty.
std::size_t utf8_sequence(std::string_view text);

bool is_utf8(std::string_view text);

/// U+FFFD: what stands for something that is no character.
inline constexpr std::string_view replacement_character = "\xef\xbf\xbd";

/// With one replacement_character for each sequence that is malformed, as browsers' TextDecoder has it (Unicode 15, "U+FFFD
/// Substitution of Maximal Subparts").
std::string well_formed(std::string_view text);

}  // namespace protocol
