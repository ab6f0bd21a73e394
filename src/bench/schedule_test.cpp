#include "bench/schedule.hpp"

#include <gtest/gtest.h>

namespace bench {
namespace {

TEST(Schedule, messages_are_due_at_even_intervals_from_the_start) {
    const Schedule schedule{.start_ns = 5'000, .per_second = 50};
    EXPECT_EQ(schedule.due_ns(0), 5'000);
    EXPECT_EQ(schedule.due_ns(1), 20'005'000);
    EXPECT_EQ(schedule.due_ns(50), 1'000'005'000);
    EXPECT_EQ(schedule.count_in(2.5), 125u);
}

TEST(Schedule, does_not_drift_at_rates_whose_interval_is_not_whole) {
    const Schedule schedule{.start_ns = 0, .per_second = 3};
    EXPECT_EQ(schedule.due_ns(3'000'000), 1'000'000'000'000'000);
    const Schedule fast{.start_ns = 0, .per_second = 700'000};
    EXPECT_EQ(fast.due_ns(7'000'000), 10'000'000'000);
}

}  // namespace
}  // namespace bench
