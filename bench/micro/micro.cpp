#include <benchmark/benchmark.h>

#include "operations.hpp"

int main(int argc, char** argv) {
    for (auto& each : micro::operations()) {
        benchmark::RegisterBenchmark(each.name.c_str(), [each](benchmark::State& state) {
            for (auto _ : state) each.run();
            state.SetItemsProcessed(static_cast<std::int64_t>(each.per_run) * state.iterations());
        });
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
