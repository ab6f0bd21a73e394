#pragma once

#include <cstdint>
#include <vector>

namespace bench {

/// Whether one subscriber got the numbers 0, 1, 2 … of one channel, each once and in order. What came late is not lost; what
/// came again is a duplicate. Costs a comparison as long as all is well.
class SequenceCheck {
public:
    void take(std::uint32_t number) {
        if (number == next_)
            ++next_;
        else
            take_unexpected(number);
    }
    /// Of the numbers below `sent`, how many have not come.
    std::uint64_t missing(std::uint32_t sent) const;
    std::uint64_t duplicates() const { return duplicates_; }
    std::uint64_t reordered() const { return reordered_; }

private:
    struct Gap {
        std::uint32_t from, to;
    };  // numbers that have not come: from <= n < to

    void take_unexpected(std::uint32_t number);
    bool fill(std::uint32_t number);

    std::uint32_t next_ = 0;
    std::uint64_t duplicates_ = 0, reordered_ = 0;
    std::vector<Gap> gaps_;  // ascending, all below next_
};

}  // namespace bench
