#pragma once

#include <cstdint>

namespace bench {

/// When each message is due, whatever became of the ones before: latency counts from here, so a server that holds up its
/// publishers does not hide it (no coordinated omission). Times are nanoseconds of the steady clock.
struct Schedule {
    std::int64_t start_ns = 0;
    double per_second = 0;

    std::int64_t due_ns(std::uint64_t index) const {
        return start_ns + static_cast<std::int64_t>(static_cast<double>(index) * 1e9 / per_second);
    }
    /// How many are due in a time from the start.
    std::uint64_t count_in(double seconds) const { return static_cast<std::uint64_t>(per_second * seconds + 0.5); }
};

}  // namespace bench
