#include "bench/process_usage.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

namespace bench {
namespace {

/// The scheduler counts nanoseconds of each thread; those that have ended are left out, which our servers' do not.
std::int64_t cpu_ns(int pid) {
    std::int64_t sum = 0;
    std::error_code gone;
    for (const auto& thread : std::filesystem::directory_iterator{fmt::format("/proc/{}/task", pid), gone}) {
        std::int64_t ran = 0;
        if (std::ifstream{thread.path() / "schedstat"} >> ran) sum += ran;
    }
    return sum;
}

std::int64_t resident_bytes(int pid) {
    std::int64_t size = 0, resident = 0;
    std::ifstream{fmt::format("/proc/{}/statm", pid)} >> size >> resident;
    return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace

ProcessUsage& ProcessUsage::operator+=(const ProcessUsage& other) {
    cpu_ns += other.cpu_ns;
    resident_bytes += other.resident_bytes;
    return *this;
}

ProcessUsage usage_of(int pid) { return {cpu_ns(pid), resident_bytes(pid)}; }

ProcessUsage usage_of(std::span<const int> pids) {
    ProcessUsage sum;
    for (const int pid : pids) sum += usage_of(pid);
    return sum;
}

}  // namespace bench
