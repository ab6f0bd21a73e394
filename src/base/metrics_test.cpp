#include "base/metrics.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Metrics, counts_and_gauges_are_told_with_their_help_once) {
    MetricsText out;
    out.counter("a_total", "How many.", 3);
    out.labelled("b", "What.", "gauge", "state=\"up\"", 1);
    out.labelled("b", "What.", "gauge", "state=\"down\"", 0);
    EXPECT_EQ(out.text(),
              "# HELP a_total How many.\n# TYPE a_total counter\na_total 3\n"
              "# HELP b What.\n# TYPE b gauge\nb{state=\"up\"} 1\nb{state=\"down\"} 0\n");
}

TEST(Metrics, a_histogram_is_cumulative_and_has_what_is_beyond_its_last_bucket) {
    Durations durations;
    durations.observe(0.0005);
    durations.observe(0.003);
    durations.observe(100);
    MetricsText out;
    out.durations("d", "How long.", durations);
    EXPECT_TRUE(out.text().contains(
        "d_bucket{le=\"0.0005\"} 1\nd_bucket{le=\"0.001\"} 1\nd_bucket{le=\"0.0025\"} 1\nd_bucket{le=\"0.005\"} 2\n"));
    EXPECT_TRUE(out.text().ends_with("d_bucket{le=\"60\"} 2\nd_bucket{le=\"+Inf\"} 3\nd_sum 100.0035\nd_count 3\n"));
}

}  // namespace
}  // namespace base
