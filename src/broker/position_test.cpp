#include "broker/position.hpp"

#include <gtest/gtest.h>

#include "broker/broker.hpp"

using namespace broker;

namespace {

const Position own{.wal = {}, .epoch = 0x19ab2c3d4e5, .count = 7};
const Position change{.wal = {0x16b374d848, 2}};
const Position after_change{.wal = {0x16b374d848, 2}, .epoch = 0x19ab2c3d4e5, .count = 8};

}  // namespace

TEST(Position, TR4c_a_serial_says_the_whole_position) {
    EXPECT_EQ(to_serial(own), "m19ab2c3d4e5-0000000007");
    EXPECT_EQ(to_serial(change), "w00000016b374d848-00000002");
    EXPECT_EQ(to_serial(after_change), "w00000016b374d848-00000002+19ab2c3d4e5-0000000008");
    for (const auto& position : {own, change, after_change}) EXPECT_EQ(parse_serial(to_serial(position)), position);
}

TEST(Position, serials_of_a_channel_sort_as_its_positions_do) {
    const std::vector<Position> in_order{own,    {.wal = {5, 1}}, {.wal = {5, 1}, .epoch = 9, .count = 1}, {.wal = {5, 2}},
                                         change, after_change};
    for (std::size_t i = 1; i < in_order.size(); ++i) {
        EXPECT_LT(in_order[i - 1], in_order[i]) << i;
        EXPECT_LT(to_serial(in_order[i - 1]), to_serial(in_order[i])) << i;
    }
}

TEST(Position, refuses_what_is_not_a_serial) {
    for (const char* bad :
         {"", "x", "m", "m19ab2c3d4e5", "m19ab2c3d4e5-000000000", "w00000016b374d848-0000000g", "w00000016b374d848-00000002+",
          "m19ab2c3d4e5-0000000007x", "W00000016b374d848-00000002", "w00000016B374D848-00000002"}) {
        EXPECT_EQ(parse_serial(bad), std::nullopt) << bad;
    }
}

TEST(Cursor, TM2r_a_message_serial_is_its_channel_serial_and_its_index) {
    const Cursor cursor{change, 12};
    EXPECT_EQ(to_serial(cursor), "w00000016b374d848-00000002:012");
    EXPECT_EQ(parse_cursor(to_serial(cursor)), cursor);
    for (const char* bad : {"", ":0", "w00000016b374d848-00000002", "w00000016b374d848-00000002:", "w00000016b374d848-00000002:x"}) {
        EXPECT_EQ(parse_cursor(bad), std::nullopt) << bad;
    }
}
