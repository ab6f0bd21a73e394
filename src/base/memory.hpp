#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace base {

/// What this process may use, in bytes: the least of the machine's memory and the limits of its cgroups (v1 and v2), those that they
/// are in too. `root` is where /proc and /sys are found.
std::size_t memory_available(const std::filesystem::path& root = "/");

/// What the process has in memory, as the kernel counts it.
std::size_t resident_bytes();

/// How much of the process's memory is used, and so what is not done any more (docs/decisions/0015): each includes those before it.
enum class Pressure : std::uint8_t { none, refuse_connections, drop_readers, refuse_publishes };

/// Watches the process's memory. One thread looks; any thread asks how it is, which costs as much as reading a variable.
class MemoryWatch {
public:
    explicit MemoryWatch(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    std::size_t bytes_max() const { return bytes_max_; }
    Pressure pressure() const { return pressure_.load(std::memory_order_relaxed); }
    bool at_least(Pressure step) const { return pressure() >= step; }

    /// Some ten times a second. What the allocator keeps for later it is made to give back first.
    void look();
    /// What look() makes of so many resident bytes; logged when it changes.
    void judge(std::size_t resident);
    Pressure step_of(std::size_t resident) const;

private:
    std::size_t bytes_max_;
    std::chrono::steady_clock::time_point returns_at_{};
    std::atomic<Pressure> pressure_{Pressure::none};
};

}  // namespace base
