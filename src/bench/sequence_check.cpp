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
    const Gap after{number + 1, gap->to};
    gap->to = number;
    if (gap->from == gap->to)
        *gap = after;
    else if (after.from != after.to)
        gaps_.insert(gap + 1, after);
    if (gap->from == gap->to) gaps_.erase(gap);
    return true;
}

std::uint64_t SequenceCheck::missing(std::uint32_t sent) const {
    std::uint64_t missing = sent > next_ ? sent - next_ : 0;
    for (const auto& gap : gaps_) missing += gap.to - gap.from;
    return missing;
}

}  // namespace bench
