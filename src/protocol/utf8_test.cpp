#include "protocol/utf8.hpp"

#include <gtest/gtest.h>

using namespace protocol;

TEST(Utf8, sequences_are_one_to_four_bytes) {
    const std::pair<std::string_view, std::size_t> sequences[] = {{"a", 1},
                                                                  {"é", 2},
                                                                  {"€", 3},
                                                                  {"👍", 4},
                                                                  {"\xc2\x80", 2},
                                                                  {"\xe0\xa0\x80", 3},
                                                                  {"\xed\x9f\xbf", 3},
                                                                  {"\xee\x80\x80", 3},
                                                                  {"\xf0\x90\x80\x80", 4},
                                                                  {"\xf4\x8f\xbf\xbf", 4}};
    for (const auto& [text, size] : sequences) {
        EXPECT_EQ(utf8_sequence(text), size) << text;
        EXPECT_TRUE(is_utf8(text)) << text;
    }
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8("aé€👍"));
}

TEST(Utf8, refuses_overlong_forms_surrogates_and_what_is_cut_short) {
    for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x91",
                                       "\xc3(", "\xe2\x28\xa1", "\xe2\x82\x28", "\xf0\x9f\x91\x28"}) {
        EXPECT_EQ(utf8_sequence(bad), 0u) << testing::PrintToString(bad);
        EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(bad);
    }
}

TEST(Utf8, what_is_malformed_is_replaced_as_TextDecoder_does) {
    const std::pair<std::string_view, std::string_view> texts[] = {
        {"aé€👍", "aé€👍"},        {"\xff", "\ufffd"},         {"a\x80z", "a\ufffdz"},
        {"\xc3", "\ufffd"},       {"\xc3(", "\ufffd("},      {"\xe2\x82", "\ufffd"},
        {"\xe2\x82z", "\ufffdz"}, {"\xf0\x9f\x91", "\ufffd"}, {"\xf0\x9f\x91\xf0\x9f\x91\x8d", "\ufffd👍"},
        {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"}, {"\xc0\x80", "\ufffd\ufffd"}, {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"}};
    for (const auto& [text, replaced] : texts) {
        EXPECT_EQ(well_formed(text), replaced) << testing::PrintToString(text);
        EXPECT_TRUE(is_utf8(well_formed(text)));
    }
}
