#include <valgrind/callgrind.h>

#include "operations.hpp"

/// Under `valgrind --tool=callgrind --collect-atstart=no`: a dump for each operation, of so many times it.
int main() {
    for (auto& each : micro::operations()) {
        constexpr std::size_t warm_up = 20, times = 100;
        for (std::size_t i = 0; i < warm_up; ++i) each.run();
        const auto runs = (times + each.per_run - 1) / each.per_run;
        CALLGRIND_ZERO_STATS;
        CALLGRIND_TOGGLE_COLLECT;
        for (std::size_t i = 0; i < runs; ++i) each.run();
        CALLGRIND_TOGGLE_COLLECT;
        const auto what = std::to_string(runs * each.per_run) + " " + each.name;
        CALLGRIND_DUMP_STATS_AT(what.c_str());
    }
}
