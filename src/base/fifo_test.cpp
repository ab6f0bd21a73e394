#include "base/fifo.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>

namespace base {
namespace {

TEST(Fifo, is_as_a_deque_whatever_is_done) {
    std::mt19937 random{1};
    Fifo<int> fifo;
    std::deque<int> expected;
    for (int i = 0; i < 20'000; ++i) {
        if (const bool grows = (i / 500) % 2 == 0; random() % 10 < (grows ? 7u : 3u)) {
            fifo.push_back(i);
            expected.push_back(i);
        } else if (!expected.empty()) {
            fifo.pop_front();
            expected.pop_front();
        }
        ASSERT_EQ(fifo.size(), expected.size());
        ASSERT_TRUE(std::ranges::equal(fifo, expected));
        if (expected.empty()) continue;
        ASSERT_EQ(std::pair(fifo.front(), fifo.back()), std::pair(expected.front(), expected.back()));
    }
    EXPECT_TRUE(std::equal(fifo.rbegin(), fifo.rend(), expected.rbegin(), expected.rend()));
}

TEST(Fifo, lets_go_of_what_is_popped) {
    Fifo<std::shared_ptr<int>> fifo;
    const auto first = std::make_shared<int>(1), second = std::make_shared<int>(2), third = std::make_shared<int>(3);
    for (const auto& each : {first, second, third}) fifo.push_back(each);
    fifo.pop_front();
    EXPECT_EQ(first.use_count(), 1);
    EXPECT_EQ(second.use_count(), 2);
    fifo.clear();
    EXPECT_EQ(third.use_count(), 1);
}

}  // namespace
}  // namespace base
