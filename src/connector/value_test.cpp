#include "connector/value.hpp"

#include <gtest/gtest.h>

namespace connector {
namespace {

std::string value(std::uint32_t type, std::string_view text) {
    std::string out;
    append_value(out, type, text);
    return out;
}

}  // namespace

TEST(Value, is_json_of_its_own_type_where_json_has_one) {
    EXPECT_EQ(value(16, "t"), "true");
    EXPECT_EQ(value(16, "f"), "false");
    EXPECT_EQ(value(21, "-32768"), "-32768");
    EXPECT_EQ(value(23, "2147483647"), "2147483647");
    EXPECT_EQ(value(26, "4294967295"), "4294967295");
    EXPECT_EQ(value(114, R"({"a": [1,  2]})"), R"({"a": [1,  2]})");
    EXPECT_EQ(value(3802, "null"), "null");
    EXPECT_EQ(value(25, "a \"quoted\"\n\\ \x01 \xE2\x82\xAC"), "\"a \\\"quoted\\\"\\n\\\\ \\u0001 \xE2\x82\xAC\"");
    EXPECT_EQ(value(2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"");
}

TEST(Value, is_a_number_only_where_a_double_has_every_digit) {
    EXPECT_EQ(value(20, "9007199254740992"), "9007199254740992");
    EXPECT_EQ(value(20, "-9007199254740992"), "-9007199254740992");
    EXPECT_EQ(value(20, "9007199254740993"), "\"9007199254740993\"");
    EXPECT_EQ(value(20, "-9223372036854775808"), "\"-9223372036854775808\"");
    EXPECT_EQ(value(1700, "123456789012.345"), "123456789012.345");
    EXPECT_EQ(value(1700, "-0.000123456789012345"), "-0.000123456789012345");
    EXPECT_EQ(value(1700, "0.00"), "0.00");
    EXPECT_EQ(value(1700, "1234567890123.456"), "\"1234567890123.456\"");
    EXPECT_EQ(value(701, "1.7976931348623157e+308"), "1.7976931348623157e+308");
    EXPECT_EQ(value(700, "-1.5"), "-1.5");
    for (const auto* name : {"NaN", "Infinity", "-Infinity"}) {
        for (const std::uint32_t type : {700u, 701u, 1700u}) EXPECT_EQ(value(type, name), '"' + std::string{name} + '"') << type;
    }
}

TEST(Value, of_a_time_is_iso_8601_as_row_to_json_gave_it) {
    EXPECT_EQ(value(1184, "2024-05-06 07:08:09.123456+00"), "\"2024-05-06T07:08:09.123456+00:00\"");
    EXPECT_EQ(value(1114, "2024-05-06 07:08:09"), "\"2024-05-06T07:08:09\"");
    EXPECT_EQ(value(1184, "infinity"), "\"infinity\"");
    EXPECT_EQ(value(1184, "0044-03-15 12:00:00+00 BC"), "\"0044-03-15 12:00:00+00 BC\"");
    EXPECT_EQ(value(1082, "2024-05-06"), "\"2024-05-06\"");
}

TEST(Value, of_an_array_is_a_json_array_of_what_its_elements_are) {
    EXPECT_EQ(value(1007, "{1,NULL,-3}"), "[1,null,-3]");
    EXPECT_EQ(value(1007, "{}"), "[]");
    EXPECT_EQ(value(1007, "[0:1][-1:0]={{1,2},{3,4}}"), "[[1,2],[3,4]]");
    EXPECT_EQ(value(1016, "{1,9007199254740993}"), R"([1,"9007199254740993"])");
    EXPECT_EQ(value(1000, "{t,f}"), "[true,false]");
    EXPECT_EQ(value(1022, "{1.5,NaN,-Infinity}"), R"([1.5,"NaN","-Infinity"])");
    EXPECT_EQ(value(1009, R"({a,"NULL",NULL,"","b,c","{\"x\"}","back\\slash"})"), R"(["a","NULL",null,"","b,c","{\"x\"}","back\\slash"])");
    EXPECT_EQ(value(3807, R"({"{\"a\": [1, 2]}","\"text\"",3})"), R"([{"a": [1, 2]},"text",3])");
    EXPECT_EQ(value(1185, R"({"2024-05-06 07:08:09+00"})"), R"(["2024-05-06T07:08:09+00:00"])");
    EXPECT_EQ(value(1020, "{(1,1),(0,0);(2,2),(1,1)}"), R"j(["(1,1),(0,0)","(2,2),(1,1)"])j");
    EXPECT_EQ(value(3905, R"j({"[1,3)",empty})j"), R"j(["[1,3)","empty"])j");
}

TEST(Value, that_should_be_an_array_and_does_not_read_as_one_is_a_text) {
    for (const auto* text : {"", "a", "{", "}", "{1", "{1,", "{1}}", "{1}x", "{{1}", "{\"a", "{\"a\\", "{,}", "[1:2]", "{a\"b"}) {
        EXPECT_TRUE(value(1009, text).starts_with('"')) << text << " became " << value(1009, text);
    }
}

TEST(Types, are_read_as_what_is_below_them) {
    Types types;
    EXPECT_EQ(types.read_as(23), 23u);
    types.learn({16'385, "", "int4"});            // a domain
    types.learn({16'386, "", "_numeric"});        // a domain over an array
    types.learn({16'387, "public", "mood"});      // an enum or a composite
    types.learn({16'388, "public", "_mood"});
    types.learn({16'389, "", "uuid"});
    types.learn({16'390, "public", "int4"});      // somebody's own of that name
    EXPECT_EQ(types.read_as(16'385), 23u);
    EXPECT_EQ(types.read_as(16'386), 1231u);
    EXPECT_EQ(types.read_as(16'387), 25u);
    EXPECT_EQ(types.read_as(16'388), 1009u);
    EXPECT_EQ(types.read_as(16'389), 25u);
    EXPECT_EQ(types.read_as(16'390), 25u);
}

}  // namespace connector
