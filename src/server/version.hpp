#pragma once

#include <charconv>
#include <optional>
#include <string_view>

#include "net/http.hpp"
#include "protocol/error_codes.hpp"

namespace server {

inline constexpr int oldest_version = 2, newest_version = 6;  // of the protocol, CSV2

/// Before it the results of a batch are a plain list.
inline constexpr int batch_counts_from_version = 3;

/// SDKs of before version 2 say "1.2".
inline std::optional<int> parse_version(std::string_view text) {
    const auto digits = text.substr(0, text.find('.'));
    int version = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return version;
}

/// What the answer to a REST request is to look like (RSC7e): by X-Ably-Version, or `v`. Who does not say is told the newest.
/// Error: invalid_header.
inline base::Result<int> version_wanted(const net::HttpRequest& request) {
    std::string text{request.header("x-ably-version")};
    if (text.empty()) text = request.param("v").value_or("");
    if (text.empty()) return newest_version;
    if (const auto version = parse_version(text)) return *version;
    return base::fail(base::ErrorCode::invalid_header, "X-Ably-Version is not a version");
}

}  // namespace server
