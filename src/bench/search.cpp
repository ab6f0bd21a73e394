#include "bench/search.hpp"

#include <cmath>

namespace bench {

double highest_passing(const SearchBounds& bounds, const std::function<bool(double rate)>& passes) {
    double passed = 0, failed = 0, rate = bounds.first;
    for (std::size_t trial = 0; trial < bounds.trials_max;) {
        bool good = false;
        for (std::size_t i = 0; i < bounds.tries && !good && trial < bounds.trials_max; ++i, ++trial) good = passes(rate);
        (good ? passed : failed) = rate;
        if (failed == 0)
            rate = passed * bounds.growth;
        else if (passed == 0)
            rate = failed / bounds.growth;
        else if (failed <= passed * (1 + bounds.precision))
            break;
        else
            rate = std::sqrt(passed * failed);
    }
    return passed;
}

}  // namespace bench
