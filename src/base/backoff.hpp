#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace base {

/// How long to wait before try number `attempt` (from 0) is made again: `first`, doubled each time up to `longest`, and then
/// shortened by up to a half at random, so that those who failed together do not come back together. Any thread.
inline std::chrono::milliseconds backoff(unsigned attempt, std::chrono::milliseconds first, std::chrono::milliseconds longest) {
    thread_local std::minstd_rand random{std::random_device{}()};
    const std::chrono::milliseconds whole = std::min(longest, first * (std::int64_t{1} << std::min(attempt, 30u)));
    return std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{whole.count() / 2, whole.count()}(random)};
}

}  // namespace base
