#include "bench/search.hpp"

#include <gtest/gtest.h>

namespace bench {
namespace {

TEST(Search, finds_the_limit_from_below_and_from_above) {
    for (const double first : {10.0, 9'000.0, 12'345.0, 1e6}) {
        const auto found = highest_passing({.first = first, .precision = 0.02}, [](double rate) { return rate <= 12'345; });
        EXPECT_LE(found, 12'345);
        EXPECT_GE(found, 12'345 / 1.03);
    }
}

TEST(Search, a_good_guess_saves_trials) {
    std::size_t trials = 0;
    const auto found =
        highest_passing({.first = 12'000, .growth = 1.2, .precision = 0.05}, [&](double rate) { return ++trials, rate <= 12'345; });
    EXPECT_GE(found, 12'345 / 1.06);
    EXPECT_LE(trials, 7u);
}

TEST(Search, gives_up_when_nothing_passes) {
    std::size_t trials = 0;
    EXPECT_EQ(highest_passing({.trials_max = 12}, [&](double) { return ++trials, false; }), 0);
    EXPECT_EQ(trials, 12u);
}

TEST(Search, one_bad_moment_does_not_fail_a_rate) {
    std::size_t trials = 0;
    const auto found =
        highest_passing({.first = 100, .precision = 0.02}, [&](double rate) { return ++trials % 2 == 0 && rate <= 1'000; });
    EXPECT_GE(found, 1'000 / 1.03);
}

}  // namespace
}  // namespace bench
