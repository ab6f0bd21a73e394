#include "base/budget.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace base {
namespace {

TEST(Budget, a_single_user_gets_a_ninth) {
    Budget budget{900};
    std::size_t own = 0;
    for (; budget.allows(own, 1); ++own) budget.take(1);
    EXPECT_EQ(own, 100u);
}

TEST(Budget, many_users_get_the_same_and_never_the_total) {
    Budget budget{100'000};
    std::vector<std::size_t> users(100);
    for (bool more = true; more;) {
        more = false;
        for (auto& own : users) {
            if (!budget.allows(own, 1)) continue;
            budget.take(1);
            ++own;
            more = true;
        }
    }
    EXPECT_LT(budget.used(), budget.total());
    for (const auto own : users) EXPECT_NEAR(static_cast<double>(own), 100'000.0 / 108, 2);
    EXPECT_TRUE(budget.allows(0, 100));  // who comes next
}

TEST(Budget, what_is_given_back_can_be_had_again) {
    Budget budget{90};
    budget.take(90);
    EXPECT_FALSE(budget.allows(0, 1));
    budget.give_back(200);
    EXPECT_EQ(budget.left(), 90u);
}

}  // namespace
}  // namespace base
