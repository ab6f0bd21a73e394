#include "stats/ledger.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

using namespace stats;
using namespace std::chrono;

namespace {

Time clock_now;
Time read_clock() { return clock_now; }

class LedgerTest : public testing::Test {
protected:
    LedgerTest() { clock_now = sys_days{2026y / February / 3} + 15h + 3min; }

    void pass(seconds time) {
        for (; time.count() > 0; --time) {
            clock_now += 1s;
            ledger->tick();
        }
    }
    void publish() { ledger->of("app").messages(Way::inbound, Over::realtime, Kind::messages, 1, 10); }

    /// The intervals' ids and an entry of each.
    using Read = std::vector<std::pair<std::string, double>>;
    Read read(Query query, const std::string& entry = "messages.all.all.count", const std::string& app = "app") {
        if (query.limit == 0) query.limit = 100;
        Read all;
        for (const auto& [start, counters] : ledger->read(app, query)) {
            const auto length = std::min(end_of(query.unit, start), clock_now) - start;
            const auto entries = counters.entries(length);
            all.emplace_back(interval_id(query.unit, start), entries.contains(entry) ? entries.at(entry) : 0);
        }
        return all;
    }

    std::unique_ptr<Ledger> ledger =
        (clock_now = sys_days{2026y / February / 3} + 15h + 3min, std::make_unique<Ledger>(read_clock));
};

TEST_F(LedgerTest, RSC6b4_minutes_are_summed_by_hour_day_and_month_with_what_is_under_way) {
    publish();
    pass(60s);
    publish();
    pass(120s);
    publish();
    EXPECT_EQ(read({.unit = Unit::minute}), (Read{{"2026-02-03:15:03", 1}, {"2026-02-03:15:04", 1}, {"2026-02-03:15:06", 1}}));
    EXPECT_EQ(read({.unit = Unit::hour}), (Read{{"2026-02-03:15", 3}}));
    pass(minutes{60});
    publish();
    EXPECT_EQ(read({.unit = Unit::hour}), (Read{{"2026-02-03:15", 3}, {"2026-02-03:16", 1}}));
    EXPECT_EQ(read({.unit = Unit::day}), (Read{{"2026-02-03", 4}}));
    EXPECT_EQ(read({.unit = Unit::month}), (Read{{"2026-02", 4}}));
    EXPECT_EQ(read({.unit = Unit::month}, "messages.all.all.count", "another"), Read{});
}

TEST_F(LedgerTest, RSC6b_a_query_has_bounds_a_direction_and_a_limit) {
    for (int i = 0; i < 5; ++i) {
        publish();
        pass(60s);
    }
    const auto at = [](int minute) { return Time{sys_days{2026y / February / 3} + 15h + minutes{minute}}; };
    const auto minutes_of = [&](const Query& query) {
        std::string all;
        for (const auto& [id, count] : read(query)) all += id.back();
        return all;
    };
    EXPECT_EQ(minutes_of({}), "34567");
    EXPECT_EQ(minutes_of({.start = at(4) + 30s, .end = at(6)}), "456");
    EXPECT_EQ(minutes_of({.limit = 2}), "67");
    EXPECT_EQ(minutes_of({.forwards = true, .limit = 2}), "34");
    EXPECT_EQ(minutes_of({.after = at(6), .limit = 2}), "45");
    EXPECT_EQ(minutes_of({.after = at(4), .forwards = true, .limit = 2}), "56");
}

TEST_F(LedgerTest, levels_go_on_from_minute_to_minute) {
    {
        const Use first{*ledger, "app", Resource::connections};
        pass(30s);
        Use second{*ledger, "app", Resource::connections};
        pass(60s);
        const Use moved = std::move(second);
        EXPECT_EQ(read({}, "connections.all.mean"), (Read{{"2026-02-03:15:03", 1.5}, {"2026-02-03:15:04", 2}}));
    }
    pass(60s);
    EXPECT_EQ(read({}, "connections.all.mean"), (Read{{"2026-02-03:15:03", 1.5}, {"2026-02-03:15:04", 1}}));
    EXPECT_EQ(read({}, "connections.all.peak"), (Read{{"2026-02-03:15:03", 2}, {"2026-02-03:15:04", 2}}));
    EXPECT_EQ(read({}, "connections.all.opened"), (Read{{"2026-02-03:15:03", 2}, {"2026-02-03:15:04", 0}}));
    EXPECT_EQ(read({.unit = Unit::hour}, "connections.all.opened"), (Read{{"2026-02-03:15", 2}}));
}

TEST_F(LedgerTest, keeps_so_many_of_each_unit) {
    for (std::size_t i = 0; i < base::limits::stats_minutes_max + 10; ++i) {
        publish();
        clock_now += 1min;
        ledger->tick();
    }
    EXPECT_EQ(read({.limit = 10'000}).size(), base::limits::stats_minutes_max);
    EXPECT_EQ(read({.unit = Unit::month}).front().second, static_cast<double>(base::limits::stats_minutes_max + 10));
}

TEST_F(LedgerTest, a_clock_that_jumps_costs_nothing) {
    const Use use{*ledger, "app", Resource::channels};
    clock_now += days{10'000};
    ledger->tick();
    pass(90s);
    EXPECT_EQ(read({}, "channels.mean"), (Read{{"2026-02-03:15:03", 1}, {"2053-06-21:15:03", 1}, {"2053-06-21:15:04", 1}}));
}

TEST_F(LedgerTest, G3_a_fixture_is_a_minute_like_any_other_and_a_forgotten_app_has_none) {
    Counters counters;
    counters.messages(Way::inbound, Over::rest, Kind::messages, 7, 0);
    ledger->add("app", sys_days{2025y / December / 31} + 5min, counters);
    ledger->add("app", sys_days{2025y / December / 31} + 5min, counters);
    EXPECT_EQ(read({}), (Read{{"2025-12-31:00:05", 14}}));
    EXPECT_EQ(read({.unit = Unit::month}), (Read{{"2025-12", 14}}));
    Use use{*ledger, "app", Resource::connections};
    ledger->forget("app");
    use = {};
    EXPECT_EQ(read({}), Read{});
}

}  // namespace
