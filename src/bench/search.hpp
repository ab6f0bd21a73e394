#pragma once

#include <cstddef>
#include <functional>

namespace bench {

struct SearchBounds {
    double first = 1'000;     // where to begin; a good guess saves trials
    double growth = 2;        // the first step; less when the guess is a good one
    double precision = 0.05;  // a rate that failed is at most so much above the one that is found
    std::size_t trials_max = 40;
    std::size_t tries = 2;  // of a rate: it has passed when one of them did, for the machine may have been busy
};

/// The highest rate that passes: grows from the first, or shrinks when that fails, then bisects. 0 when none did.
double highest_passing(const SearchBounds& bounds, const std::function<bool(double rate)>& passes);

}  // namespace bench
