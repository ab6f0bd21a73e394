#include "bench/sequence_check.hpp"

#include <algorithm>

namespace bench {

void SequenceCheck::take_unexpected(std::uint32_t number) {
    if (number > next_) {
        gaps_.push_back({next_, number});
        next_ = number + 1;
    } else if (fill(number)) {
        ++reordered_;
    } else {
        ++duplicates_;
    }
}

/// False when it was not missing.
bool SequenceCheck::fill(std::uint32_t number) {
    const auto gap = std::ranges::find_if(gaps_, [number](const Gap& each) { return each.from <= number && number < each.to; });
    if (gap == gaps_.end()) return false;
    const Gap before{gap->from, number}, after{number + 1, gap->to};
    auto rest = gaps_.erase(gap);
    if (after.from != after.to) rest = gaps_.insert(rest, after);
    if (before.from != before.to) gaps_.insert(rest, before);
    return true;
}

std::uint64_t SequenceCheck::missing(std::uint32_t sent) const {
    std::uint64_t missing = sent > next_ ? sent - next_ : 0;
    for (const auto& gap : gaps_) missing += gap.to - gap.from;
    return missing;
}

}  // namespace bench
