#pragma once

#include <cstdint>
#include <span>

namespace bench {

/// What processes have used and hold, by /proc. All zero for one that is not there.
struct ProcessUsage {
    std::int64_t cpu_ns = 0;  // since it started, all threads
    std::int64_t resident_bytes = 0;

    ProcessUsage& operator+=(const ProcessUsage& other);
};

ProcessUsage usage_of(int pid);
/// The sum, for servers of several processes.
ProcessUsage usage_of(std::span<const int> pids);

}  // namespace bench
