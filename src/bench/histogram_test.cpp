#include "bench/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace bench {
namespace {

TEST(Histogram, an_empty_one_says_zero) {
    const Histogram none;
    EXPECT_EQ(none.count(), 0u);
    EXPECT_EQ(none.quantile(0.99), 0);
    EXPECT_EQ(none.max(), 0);
    EXPECT_EQ(none.mean(), 0);
}

TEST(Histogram, quantiles_are_those_of_the_sorted_values_to_within_a_hundredth) {
    std::mt19937_64 random{7};
    std::lognormal_distribution<double> milliseconds{13, 2};
    Histogram histogram;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 100'000; ++i) {
        values.push_back(static_cast<std::int64_t>(milliseconds(random)));
        histogram.record(values.back());
    }
    std::ranges::sort(values);
    for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto exact = static_cast<double>(values[static_cast<std::size_t>(std::ceil(share * 100'000)) - 1]);
        EXPECT_NEAR(static_cast<double>(histogram.quantile(share)), exact, exact / 100) << share;
    }
    EXPECT_EQ(histogram.max(), values.back());
    EXPECT_EQ(histogram.count(), values.size());
}

TEST(Histogram, small_values_are_exact_and_those_outside_count_at_the_edges) {
    Histogram histogram;
    for (std::int64_t value = 0; value < 128; ++value) histogram.record(value);
    EXPECT_EQ(histogram.quantile(0.5), 63);
    histogram.record(-5);
    EXPECT_EQ(histogram.quantile(0.001), 0);
    histogram.record(std::int64_t{1} << 50);
    EXPECT_EQ(histogram.count(), 130u);
    EXPECT_GE(histogram.quantile(1), std::int64_t{1} << 39);
}

TEST(Histogram, two_become_one) {
    Histogram low, high, both;
    for (std::int64_t value = 1; value <= 1000; ++value) {
        (value <= 500 ? low : high).record(value * 1000);
        both.record(value * 1000);
    }
    low.add(high);
    EXPECT_EQ(low.count(), both.count());
    EXPECT_EQ(low.max(), both.max());
    for (const double share : {0.1, 0.5, 0.99}) EXPECT_EQ(low.quantile(share), both.quantile(share));
    EXPECT_NEAR(low.mean(), 500'500, 5'000);
}

}  // namespace
}  // namespace bench
