#include "bench/process_usage.hpp"

#include <array>
#include <ctime>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace bench {
namespace {

std::int64_t own_cpu_ns() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

TEST(ProcessUsage, counts_the_time_a_process_computes) {
    const auto before = usage_of(getpid());
    const auto start = own_cpu_ns();
    while (own_cpu_ns() - start < 100'000'000) continue;
    EXPECT_NEAR(static_cast<double>(usage_of(getpid()).cpu_ns - before.cpu_ns), 1e8, 5e7);
}

TEST(ProcessUsage, counts_the_memory_it_touches) {
    const auto before = usage_of(getpid());
    std::string touched(64u << 20, 'x');
    EXPECT_GE(usage_of(getpid()).resident_bytes - before.resident_bytes, 60 << 20);  // a sanitizer touches more
    EXPECT_EQ(touched.back(), 'x');
}

TEST(ProcessUsage, one_that_is_gone_uses_nothing) {
    const std::array pids{getpid(), 1 << 30};
    EXPECT_EQ(usage_of(1 << 30).cpu_ns, 0);
    EXPECT_GT(usage_of(pids).resident_bytes, 0);
}

}  // namespace
}  // namespace bench
