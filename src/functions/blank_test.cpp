#include "functions/blank.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace functions {
namespace {

std::string utf8(char32_t c) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) return {static_cast<char>(c)};
    if (c < 0x800) return {static_cast<char>(0xC0 | (c >> 6)), tail(0)};
    if (c < 0x1'0000) return {static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)};
    return {static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

}  // namespace

TEST(Blank, the_cases_that_the_page_has_too) {
    std::ifstream file{PALIMPSEST_BLANK_CASES};
    ASSERT_TRUE(file);
    std::size_t cases = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream words{line};
        std::string expected, text;
        words >> expected;
        for (std::uint32_t c = 0; words >> std::hex >> c;) text += utf8(c);
        EXPECT_EQ(is_blank(text), expected == "blank") << line;
        ++cases;
    }
    EXPECT_GT(cases, 70u);
}

TEST(Blank, what_is_no_utf8_is_seen) {
    for (const auto* text : {"\xFF", "\xE2\x80", "\xC0\x80", "\xED\xA0\x80"}) EXPECT_FALSE(is_blank(text));
}

}  // namespace functions
