#include "stats/report.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace stats;
using namespace std::chrono;

namespace {

const Time midnight = sys_days{2026y / February / 3};

Counters tokens(int count) {
    Counters counters;
    counters.set("tokenRequests.failed", count);
    return counters;
}

TEST(Report, adds_what_shards_counted_and_ends_a_page_at_its_limit) {
    const Intervals one{{midnight, tokens(1)}, {midnight + 1min, tokens(2)}},
        other{{midnight + 1min, tokens(4)}, {midnight + 2min, tokens(8)}};
    const auto forwards = report({one, other}, {.forwards = true}, 2);
    EXPECT_EQ(forwards.intervals, (Intervals{{midnight, tokens(1)}, {midnight + 1min, tokens(6)}}));
    EXPECT_EQ(forwards.next, midnight + 1min);
    const auto backwards = report({one, other}, {}, 2);
    EXPECT_EQ(backwards.intervals, (Intervals{{midnight + 1min, tokens(6)}, {midnight + 2min, tokens(8)}}));
    EXPECT_EQ(backwards.next, midnight + 1min);
    EXPECT_EQ(report({one, other}, {}, 3).next, std::nullopt);
}

TEST(Report, TS12_is_a_list_of_intervals_and_says_which_is_under_way) {
    const Report report{.intervals = {{midnight, tokens(1)}, {midnight + 1h, tokens(2)}}, .next = {}};
    const std::string shared = R"("unit":"hour","schema":"https://schemas.ably.com/json/app-stats-0.0.5.json","appId":"app",)";
    const auto entries = [](int count) {
        return fmt::format(R"("entries":{{"apiRequests.all.failed":{0},"apiRequests.tokenRequests.failed":{0}}}}})", count);
    };
    const auto first = R"({"intervalId":"2026-02-03:00",)" + shared + entries(1);
    const auto second = R"({"intervalId":"2026-02-03:01",)" + shared + R"("inProgress":"2026-02-03:01:30:07",)" + entries(2);
    const auto now = midnight + 1h + 30min + 7s;
    EXPECT_EQ(to_json(report, {.unit = Unit::hour, .forwards = true}, "app", now), "[" + first + "," + second + "]");
    EXPECT_EQ(to_json(report, {.unit = Unit::hour}, "app", now), "[" + second + "," + first + "]");
    EXPECT_EQ(to_json({}, {}, "app", now), "[]");
}

TEST(Report, a_mean_is_of_the_time_that_has_passed) {
    Counters counters;
    counters.change(Resource::channels, 3, 3, 30min);
    const Report report{.intervals = {{midnight, counters}}, .next = {}};
    EXPECT_NE(to_json(report, {.unit = Unit::hour}, "app", midnight + 1h).find(R"("channels.mean":1.5)"), std::string::npos);
    EXPECT_NE(to_json(report, {.unit = Unit::hour}, "app", midnight + 30min).find(R"("channels.mean":3)"), std::string::npos);
}

}  // namespace
