#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

/// RFC 1952, as HTTP's content coding "gzip" has it. Pure.
namespace net {

/// `level`: 1, the fastest, to 9, the smallest.
std::string gzip(std::string_view bytes, int level);

enum class GunzipError : std::uint8_t { malformed, too_large };
/// Of all its members. too_large: more than bytes_max, found out without having inflated more.
std::expected<std::string, GunzipError> gunzip(std::string_view compressed, std::size_t bytes_max);

}  // namespace net
