#pragma once

#include <chrono>
#include <cstdint>

namespace base {

/// Milliseconds since the Unix epoch: what Ably timestamps are. The product is told the time; only the edges ask for it,
/// so tests and simulations set it.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using std::chrono::milliseconds;

inline Time now() { return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()); }

inline std::int64_t to_ms(Time time) { return time.time_since_epoch().count(); }
inline Time from_ms(std::int64_t ms) { return Time{milliseconds{ms}}; }

}  // namespace base
