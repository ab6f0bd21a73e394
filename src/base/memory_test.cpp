#include "base/memory.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace base {
namespace {

namespace fs = std::filesystem;

/// A file system with what /proc and /sys say.
class Root {
public:
    Root() : path_(fs::temp_directory_path() / ("palimpsest-memory-" + std::to_string(::getpid()))) {
        put("proc/meminfo", "MemTotal:        4194304 kB\nMemFree:  1 kB\n");
    }
    ~Root() { fs::remove_all(path_); }
    void put(const fs::path& file, const std::string& text) {
        fs::create_directories((path_ / file).parent_path());
        std::ofstream{path_ / file} << text;
    }
    std::size_t available() const { return memory_available(path_); }

private:
    fs::path path_;
};
constexpr std::size_t GiB = 1u << 30;

TEST(MemoryAvailable, is_the_machines_without_a_cgroup) { EXPECT_EQ(Root{}.available(), 4 * GiB); }

TEST(MemoryAvailable, is_the_least_of_a_v2_cgroup_and_those_it_is_in) {
    Root root;
    root.put("proc/self/cgroup", "0::/system.slice/palimpsest.service\n");
    root.put("sys/fs/cgroup/system.slice/palimpsest.service/memory.max", "max\n");
    EXPECT_EQ(root.available(), 4 * GiB);
    root.put("sys/fs/cgroup/system.slice/memory.max", "2147483648\n");
    EXPECT_EQ(root.available(), 2 * GiB);
    root.put("sys/fs/cgroup/system.slice/palimpsest.service/memory.max", "1073741824\n");
    EXPECT_EQ(root.available(), GiB);
}

TEST(MemoryAvailable, is_a_v2_containers_own) {
    Root root;
    root.put("proc/self/cgroup", "0::/\n");
    root.put("sys/fs/cgroup/memory.max", "536870912\n");
    EXPECT_EQ(root.available(), GiB / 2);
}

TEST(MemoryAvailable, is_the_least_of_a_v1_cgroup) {
    Root root;
    root.put("proc/self/cgroup", "12:cpu,cpuacct:/docker/abc\n9:memory:/docker/abc\n0::/system.slice\n");
    root.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");  // in the container the host's path is not there
    EXPECT_EQ(root.available(), GiB);
    root.put("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "536870912\n");
    EXPECT_EQ(root.available(), GiB / 2);
    root.put("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n");  // v1's "no limit"
    EXPECT_EQ(root.available(), GiB);
}

TEST(MemoryAvailable, is_something_here) {
    EXPECT_GT(memory_available(), 64u << 20);
    EXPECT_LT(memory_available(), SIZE_MAX);
    EXPECT_GT(resident_bytes(), 1u << 20);
}

TEST(MemoryWatch, sheds_in_the_stated_order_and_recovers) {
    MemoryWatch watch{1'000'000};
    std::vector<Pressure> steps;
    for (const std::size_t resident : {799'999, 800'000, 899'999, 900'000, 999'999, 1'000'000, 2'000'000, 850'000, 100'000}) {
        watch.judge(resident);
        steps.push_back(watch.pressure());
    }
    using enum Pressure;
    EXPECT_EQ(steps, (std::vector{none, refuse_connections, refuse_connections, drop_readers, drop_readers, refuse_publishes,
                                  refuse_publishes, refuse_connections, none}));
}

}  // namespace
}  // namespace base
