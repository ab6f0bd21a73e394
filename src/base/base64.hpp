#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace base {

/// RFC 4648 §4, padded.
std::string base64_encode(std::string_view bytes);
/// RFC 4648 §5 (URL-safe alphabet), without padding.
std::string base64url_encode(std::string_view bytes);
/// Accepts both alphabets, padded or not; nothing on any other character or length.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace base
