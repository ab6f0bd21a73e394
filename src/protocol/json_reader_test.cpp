#include "protocol/json_reader.hpp"

#include <gtest/gtest.h>

#include "protocol/json_writer.hpp"

using namespace protocol;
using namespace std::string_literals;

namespace {

/// The whole input as one value, written again; nothing when it is refused.
std::optional<std::string> rewritten(std::string_view json) {
    std::string out;
    JsonReader in{json};
    JsonWriter writer{out};
    return copy_value(in, writer) && in.at_end() ? std::optional{out} : std::nullopt;
}

bool skipped(std::string_view json) {
    JsonReader in{json};
    return in.skip() && in.at_end();
}

std::string nested(int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']');
}

}  // namespace

TEST(JsonReader, RFC8259_values_come_back_as_they_were) {
    for (const char* json : {"null", "true", "false", "0", "-1", "9223372036854775807", "18446744073709551615", "1.5", "-0",
                             "\"\"", "\"a\"", "[]", "{}", "[1,[2],{\"a\":[{}]}]", "{\"a\":1,\"b\":[true,null],\"\":\"é👍\"}"}) {
        EXPECT_EQ(rewritten(json), json);
        EXPECT_TRUE(skipped(json)) << json;
    }
}

TEST(JsonReader, white_space_and_number_spellings_are_the_grammars) {
    EXPECT_EQ(rewritten(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"), "{\"a\":[1,2]}");
    EXPECT_EQ(rewritten("[1E2,1e+2,1.50e-1,-12.25]"), "[100,100,0.15,-12.25]");
}

TEST(JsonReader, escapes_are_resolved) {
    EXPECT_EQ(rewritten(R"("\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\udc4d\u0000x")"), "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\té€👍\\u0000x\"");
    EXPECT_EQ(rewritten(R"({"\u0061b":1})"), R"({"ab":1})");
}

TEST(JsonReader, refuses_what_is_not_json) {
    for (const std::string_view bad :
         {"",          " ",           "nul",       "tru",   "+1",       "01",      "-",        "1.",        ".5",
          "1e",        "1e+",         "0x1",       "NaN",   "Infinity", "\"",      "\"a",      "'a'",       "\"\\x\"",
          "\"\\u12\"", "\"\\u12g4\"", "\"\\",      "\"\\u", "\"a\nb\"", "[",       "[1",       "[1,",       "[1,]",
          "[,1]",      "[1 2]",       "]",         "{",     "{\"a\"",   "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
          "{a:1}",     "{1:1}",       "{\"a\" 1}", "1 2",   "{}{}",     "//",      "1e999",    "1e-999"}) {
        EXPECT_EQ(rewritten(bad), std::nullopt) << bad;
        EXPECT_FALSE(skipped(bad)) << bad;
    }
}

TEST(JsonReader, text_must_be_unicode) {
    for (const std::string_view bad : {"\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "{\"\xff\":1}"}) {
        EXPECT_EQ(rewritten(bad), std::nullopt) << testing::PrintToString(bad);
        EXPECT_FALSE(skipped(bad)) << testing::PrintToString(bad);
    }
}

TEST(JsonReader, half_a_surrogate_pair_is_replaced) {
    const std::pair<std::string_view, std::string_view> texts[] = {
        {R"("\ud800")", "\"\ufffd\""},          {R"("a\ud83dx")", "\"a\ufffdx\""},
        {R"("\ud800\u0041")", "\"\ufffdA\""},   {R"("\ud800\n")", "\"\ufffd\\n\""},
        {R"("\udc00\ud800")", "\"\ufffd\ufffd\""}, {R"("\ud83d\ud83d\ude00")", "\"\ufffd😀\""},
        {R"(["\uDFFF",{"\ud83d":1}])", "[\"\ufffd\",{\"\ufffd\":1}]"}};
    for (const auto& [json, replaced] : texts) {
        EXPECT_EQ(rewritten(json), replaced) << json;
        EXPECT_TRUE(skipped(json)) << json;
        std::string own_text;
        EXPECT_TRUE(JsonReader{json}.json(own_text)) << json;
        EXPECT_EQ(own_text, replaced);
    }
    for (const std::string_view bad : {"\"\\ud800\\u\"", "\"\\ud800\\u12\"", "\"\\ud800\\x\"", "\"\\ud800"}) {
        EXPECT_FALSE(skipped(bad)) << bad;
    }
}

TEST(JsonReader, anything_that_is_JSON_can_be_skipped_and_nothing_else) {
    const auto skipped_anything = [](std::string_view json) {
        JsonReader in{json};
        return in.skip_anything() && in.at_end();
    };
    const auto deep = nested(200'000);
    for (const std::string& json : {deep, R"({"a":)" + deep + R"(,"b":[1e999,{"c":{}}]})", R"( [ { } , [ ] , "x" , null ] )"s, "1e999"s})
        EXPECT_TRUE(skipped_anything(json)) << json.substr(0, 40);
    for (const std::string_view bad : {"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}",
                                       "{1:1}", "[}", "{\"a\":1]", "[[]", "1 2", "01", "-", "nul", "\"a"}) {
        EXPECT_FALSE(skipped_anything(bad)) << bad;
    }
}

TEST(JsonReader, nesting_is_bounded) {
    EXPECT_EQ(rewritten(nested(nesting_max)), nested(nesting_max));
    EXPECT_TRUE(skipped(nested(nesting_max)));
    EXPECT_EQ(rewritten(nested(nesting_max + 1)), std::nullopt);
    EXPECT_FALSE(skipped(nested(nesting_max + 1)));
    EXPECT_FALSE(skipped(nested(1'000'000)));
}

TEST(JsonReader, json_is_the_values_own_text) {
    JsonReader in{R"( { "a" : 1.0 , "\u0062" : [ ] } tail)"};
    std::string text;
    ASSERT_TRUE(in.json(text));
    EXPECT_EQ(text, R"({ "a" : 1.0 , "\u0062" : [ ] })");
    EXPECT_FALSE(in.at_end());
}

TEST(Number, JavaScripts_integers_may_come_as_floats) {
    EXPECT_EQ(whole(std::int64_t{-7}), -7);
    EXPECT_EQ(whole(1795459220793.0), 1795459220793);
    EXPECT_EQ(whole(1.5), std::nullopt);
    EXPECT_EQ(whole(1e300), std::nullopt);
    EXPECT_EQ(whole(std::uint64_t{1} << 63), std::nullopt);
    EXPECT_EQ(whole(std::numeric_limits<double>::quiet_NaN()), std::nullopt);
}
