#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/clock.hpp"

namespace base {

/// Lets so many through at once, and so many a second from there; 0: any number. Told the time, as all that is pure.
class TokenBucket {
public:
    explicit TokenBucket(std::size_t per_second = 0) : per_second_(per_second), left_(static_cast<double>(per_second)) {}

    /// May `count` pass now? They are counted if so. More at once than a whole second's are let through when nothing else was,
    /// and paid for later.
    bool take(std::size_t count, Time now) {
        if (per_second_ == 0) return true;
        left_ = left(now);
        at_ = now;
        if (left_ < static_cast<double>(std::min(count, per_second_))) return false;
        left_ -= static_cast<double>(count);
        return true;
    }
    /// Nothing is owed: it is as a new one would be.
    bool full(Time now) const { return left(now) >= static_cast<double>(per_second_); }
    std::size_t per_second() const { return per_second_; }

private:
    double left(Time now) const {
        const auto elapsed = std::max(now - at_.value_or(now), milliseconds{0});  // clocks may be set back
        const auto most = static_cast<double>(per_second_);
        return std::min(most, left_ + most * static_cast<double>(elapsed.count()) / 1000);
    }

    std::size_t per_second_;
    double left_;
    std::optional<Time> at_;
};

}  // namespace base
