#include "stats/interval.hpp"

#include <gtest/gtest.h>

using namespace stats;
using namespace std::chrono;

namespace {

const Time moment = sys_days{2026y / February / 3} + 15h + 4min + 5s + 678ms;
const Time december = sys_days{2026y / December / 31} + 23h + 59min + 59s;

TEST(Interval, TS12_an_id_is_its_start_as_far_as_its_unit_goes) {
    EXPECT_EQ(interval_id(Unit::minute, moment), "2026-02-03:15:04");
    EXPECT_EQ(interval_id(Unit::hour, moment), "2026-02-03:15");
    EXPECT_EQ(interval_id(Unit::day, moment), "2026-02-03");
    EXPECT_EQ(interval_id(Unit::month, moment), "2026-02");
    EXPECT_EQ(second_id(moment), "2026-02-03:15:04:05");
}

TEST(Interval, ends_where_the_next_one_starts) {
    for (const auto unit : all_units) {
        for (const auto time : {moment, december}) {
            EXPECT_LE(start_of(unit, time), time);
            EXPECT_GT(end_of(unit, time), time);
            EXPECT_EQ(start_of(unit, end_of(unit, time)), end_of(unit, time));
            EXPECT_EQ(parse_interval_id(interval_id(unit, time)), start_of(unit, time)) << interval_id(unit, time);
        }
        EXPECT_EQ(parse_unit(name_of(unit)), unit);
    }
    EXPECT_EQ(interval_id(Unit::month, end_of(Unit::month, december)), "2027-01");
    EXPECT_EQ(end_of(Unit::month, moment) - start_of(Unit::month, moment), days{28});
}

TEST(Interval, what_is_no_id_is_none) {
    for (const auto* id : {"", "2026", "2026-13", "2026-02-30", "2026-02-03:24", "2026-02-03:15:60", "2026-02-03 15:04",
                           "2026-02-03:15:04:05", "2026-0a", "1770130000000"}) {
        EXPECT_EQ(parse_interval_id(id), std::nullopt) << id;
    }
    EXPECT_EQ(parse_unit("second"), std::nullopt);
}

}  // namespace
