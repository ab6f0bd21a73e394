#include "base/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>

#include "base/resource_limits.hpp"
#include "base/log.hpp"

// jemalloc's, where it is linked; sanitizers have their own allocator.
extern "C" int mallctl(const char*, void*, std::size_t*, void*, std::size_t) __attribute__((weak));

namespace base {
namespace {

namespace fs = std::filesystem;

/// How often the allocator is made to give back what it keeps, which it will soon take again.
constexpr std::chrono::seconds return_interval{1};

/// A number of bytes that stands alone in a file; nothing for "max".
std::optional<std::size_t> number_in(const fs::path& file) {
    std::ifstream in{file};
    std::string word;
    std::size_t bytes = 0;
    if (!(in >> word)) return std::nullopt;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), bytes);
    return error == std::errc{} && end == word.data() + word.size() ? std::optional{bytes} : std::nullopt;
}

std::size_t machine_memory(const fs::path& root) {
    std::ifstream in{root / "proc/meminfo"};
    for (std::string name, rest; in >> name; std::getline(in, rest)) {
        std::size_t kibibytes = 0;
        if (name == "MemTotal:" && in >> kibibytes) return kibibytes << 10;
    }
    return SIZE_MAX;
}

/// The least that `file` says in a cgroup's folder and those above it. In a container the path may be the host's, which is not seen
/// there: then the mount's own folder is the container's.
std::size_t least_above(const fs::path& mount, std::string path, const char* file) {
    std::size_t least = SIZE_MAX;
    for (;;) {
        if (const auto limit = number_in(mount / fs::path{path}.relative_path() / file)) least = std::min(least, *limit);
        const auto slash = path.rfind('/');
        if (path.empty() || slash == path.npos) return least;
        path.resize(slash);
    }
}

bool has_memory(std::string_view controllers) { return (',' + std::string{controllers} + ',').find(",memory,") != std::string::npos; }

/// What jemalloc keeps for later goes back to the kernel.
void return_free_memory() {
    if (mallctl) mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: MALLCTL_ARENAS_ALL
}

const char* name_of(Pressure pressure) {
    switch (pressure) {
        case Pressure::none: return "none";
        case Pressure::refuse_connections: return "refuse_connections";
        case Pressure::drop_readers: return "drop_readers";
        case Pressure::refuse_publishes: return "refuse_publishes";
    }
    return "";
}

}  // namespace

/// /proc/self/cgroup: hierarchy ':' controllers ':' path; those of v2 have none (cgroups(7)).
std::size_t memory_available(const fs::path& root) {
    auto least = machine_memory(root);
    std::ifstream in{root / "proc/self/cgroup"};
    for (std::string line; std::getline(in, line);) {
        const auto first = line.find(':'), second = line.find(':', std::min(first, line.size() - 1) + 1);
        if (first == line.npos || second == line.npos) continue;
        const auto controllers = std::string_view{line}.substr(first + 1, second - first - 1);
        auto path = line.substr(second + 1);
        const auto sys = root / "sys/fs/cgroup";
        if (controllers.empty()) {
            least = std::min(least, least_above(sys, path, "memory.max"));
            least = std::min(least, least_above(sys / "unified", std::move(path), "memory.max"));  // where both versions are mounted
        } else if (has_memory(controllers)) {
            least = std::min(least, least_above(sys / "memory", std::move(path), "memory.limit_in_bytes"));
        }
    }
    return least;
}

std::size_t resident_bytes() {
    static const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::size_t pages = 0, resident = 0;
    std::ifstream in{"/proc/self/statm"};
    in >> pages >> resident;
    return resident * page_bytes;
}

void MemoryWatch::look() {
    auto resident = resident_bytes();
    const auto step = step_of(resident);
    const auto now = std::chrono::steady_clock::now();
    if (step > pressure() || (step != Pressure::none && now >= returns_at_)) {
        return_free_memory();
        returns_at_ = now + return_interval;
        resident = resident_bytes();
    }
    judge(resident);
}

Pressure MemoryWatch::step_of(std::size_t resident) const {
    const auto percent = resident / std::max<std::size_t>(bytes_max_ / 100, 1);
    if (percent >= limits::memory_refuse_publishes_percent) return Pressure::refuse_publishes;
    if (percent >= limits::memory_drop_readers_percent) return Pressure::drop_readers;
    if (percent >= limits::memory_refuse_connections_percent) return Pressure::refuse_connections;
    return Pressure::none;
}

void MemoryWatch::judge(std::size_t resident) {
    const auto step = step_of(resident);
    if (pressure_.exchange(step, std::memory_order_relaxed) == step) return;
    if (step == Pressure::none) log::info("at=memory_recovered resident_bytes={} memory_bytes={}", resident, bytes_max_);
    else log::warn("at=memory_pressure step={} resident_bytes={} memory_bytes={}", name_of(step), resident, bytes_max_);
}

}  // namespace base
