#include "connector/row_serial.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace connector {
namespace {

std::string serial(std::vector<KeyPart> key) { return row_serial("public", "note", key); }

}  // namespace

TEST(RowSerial, is_the_table_and_the_key) {
    EXPECT_EQ(serial({{"1", true}}), "rpublic.note.i8000000000000001");
    EXPECT_EQ(serial({{"a b.c"}, {"7", true}}), "rpublic.note.ta=20b=2ec.i8000000000000007");
    EXPECT_EQ(row_serial("S.1", "T", std::vector<KeyPart>{{"x"}}), "rS=2e1.T.tx");
}

TEST(RowSerial, of_integers_sorts_as_they_do) {
    const char* numbers[] = {"-9223372036854775808", "-10", "-9", "0", "9", "10", "9223372036854775807"};
    for (std::size_t i = 1; i < std::size(numbers); ++i) EXPECT_LT(serial({{numbers[i - 1], true}}), serial({{numbers[i], true}}));
}

TEST(RowSerial, differs_when_keys_do) {
    EXPECT_NE(serial({{"a"}, {"b"}}), serial({{"ab"}, {""}}));
    EXPECT_NE(serial({{"1", true}}), serial({{"1", false}}));
    EXPECT_NE(serial({{std::string(300, 'x')}}), serial({{std::string(301, 'x')}}));
    EXPECT_LT(serial({{std::string(5'000, 'x')}}).size(), 100u);
}

}  // namespace connector
