#pragma once

#include <algorithm>
#include <cstddef>

namespace base {

/// What many users share of something bounded, in bytes or in number. One user may have a part of what is left, an eighth by default: a
/// single one has a ninth of the total at most, many have about the same each, and there is always something left for who comes next.
/// Shard-owned, or under its owner's lock.
class Budget {
public:
    explicit Budget(std::size_t total, std::size_t part = 8) : total_(total), part_(part) {}

    void take(std::size_t amount) { used_ += amount; }
    void give_back(std::size_t amount) { used_ -= std::min(used_, amount); }

    std::size_t total() const { return total_; }
    std::size_t used() const { return used_; }
    std::size_t left() const { return total_ - std::min(total_, used_); }
    std::size_t share() const { return left() / part_; }
    /// May a user who has `own` of it have so much more?
    bool allows(std::size_t own, std::size_t more) const { return own + more <= share(); }

private:
    std::size_t total_, part_, used_ = 0;
};

}  // namespace base
