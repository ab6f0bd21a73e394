#include "base/token_bucket.hpp"

#include <gtest/gtest.h>

using namespace base;
using namespace std::chrono_literals;

namespace {
const Time start = from_ms(1'800'000'000'000);
}

TEST(TokenBucket, lets_a_seconds_worth_through_at_once_and_as_much_a_second_from_there) {
    TokenBucket bucket{10};
    EXPECT_TRUE(bucket.take(10, start));
    EXPECT_FALSE(bucket.take(1, start + 99ms));
    EXPECT_TRUE(bucket.take(1, start + 100ms));
    EXPECT_FALSE(bucket.take(1, start + 100ms));
    EXPECT_TRUE(bucket.take(10, start + 1h));
    EXPECT_FALSE(bucket.take(1, start + 1h));
}

TEST(TokenBucket, more_than_a_seconds_worth_at_once_is_paid_for_later) {
    TokenBucket bucket{10};
    EXPECT_TRUE(bucket.take(30, start));
    EXPECT_FALSE(bucket.take(1, start + 2s));
    EXPECT_TRUE(bucket.take(1, start + 2100ms));
    EXPECT_FALSE(bucket.take(30, start + 2900ms));
    EXPECT_TRUE(bucket.take(30, start + 1h));
}

TEST(TokenBucket, a_rate_of_0_is_no_limit) {
    TokenBucket bucket;
    EXPECT_TRUE(bucket.take(1'000'000, start));
    EXPECT_TRUE(bucket.full(start));
}

TEST(TokenBucket, is_full_when_nothing_is_owed) {
    TokenBucket bucket{10};
    EXPECT_TRUE(bucket.take(1, start));
    EXPECT_FALSE(bucket.full(start + 99ms));
    EXPECT_TRUE(bucket.full(start + 100ms));
}

TEST(TokenBucket, a_clock_that_is_set_back_gives_nothing_and_takes_nothing) {
    TokenBucket bucket{10};
    EXPECT_TRUE(bucket.take(10, start));
    EXPECT_FALSE(bucket.take(1, start - 1h));
    EXPECT_TRUE(bucket.take(1, start - 1h + 100ms));
}
