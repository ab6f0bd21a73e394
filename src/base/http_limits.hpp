#pragma once

#include "base/limits.hpp"

namespace base::limits {
inline constexpr std::size_t http_pipelined_bytes_max = 16'384;   // behind the request that is being answered; then reading pauses
inline constexpr std::size_t http_compressed_bytes_min = 1'024;   // smaller answers are sent as they are
inline constexpr std::size_t http_compressed_bytes_max = 1u << 20;  // larger ones too: a shard must not be kept busy for longer
}
