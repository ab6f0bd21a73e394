#include "connector/value.hpp"

#include <gtest/gtest.h>

namespace connector {
namespace {

/// Some of Postgres's own arrays, and what a database may have made.
const Types types = [] {
    using enum Types::Kind;
    Types made;
    for (const auto& [oid, of] : std::initializer_list<std::pair<std::uint32_t, std::uint32_t>>{
             {1000, 16}, {1007, 23}, {1016, 20}, {1022, 701}, {1009, 25}, {3807, 3802}, {1185, 1184}, {3905, 3904}}) {
        made.add(oid, {.kind = array, .of = of});
    }
    made.add(1020, {.kind = array, .of = 603, .delimiter = ';'});
    made.add(20'001, {.kind = domain, .of = 23});
    made.add(20'002, {.kind = domain, .of = 20'001});
    made.add(20'003, {.kind = array, .of = 20'002});
    made.add(20'004, {.kind = domain, .of = 1007});
    made.add(20'005, {.kind = array, .of = 20'004});
    made.add(20'006, {.kind = composite, .fields = {{"n", 20'002}, {"at", 1184}, {"note", 25}, {"more", 20'005}, {"doc", 3802}}});
    made.add(20'007, {.kind = array, .of = 20'006});
    made.add(20'008, {.kind = hstore});
    made.add(20'009, {.kind = domain, .of = 20'008});
    made.add(20'010, {});
    made.add(20'011, {.kind = composite});
    made.add(20'012, {.kind = composite, .fields = {{"a", 20'006}, {"b", 20'007}}});
    return made;
}();

std::string value(std::uint32_t type, std::string_view text) {
    std::string out;
    append_value(out, types, type, text);
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

TEST(Value, of_a_domain_is_what_is_at_its_bottom) {
    EXPECT_EQ(value(20'002, "5"), "5");
    EXPECT_EQ(value(20'003, "{5,NULL}"), "[5,null]");
    EXPECT_EQ(value(20'004, "{1,2}"), "[1,2]");
    EXPECT_EQ(value(20'005, R"({"{1,2}",NULL,"{}"})"), "[[1,2],null,[]]");
    EXPECT_EQ(value(20'009, R"("a"=>"1")"), R"({"a":"1"})");
}

TEST(Value, of_a_composite_is_an_object_of_its_fields) {
    EXPECT_EQ(value(20'006, R"x((7,"2024-05-06 07:08:09+00","say ""hi"", \\ (x)","{""{1,2}""}","{""k"": [1, ""v""]}"))x"),
              R"x({"n":7,"at":"2024-05-06T07:08:09+00:00","note":"say \"hi\", \\ (x)","more":[[1,2]],"doc":{"k": [1, "v"]}})x");
    EXPECT_EQ(value(20'006, "(,,,,)"), R"({"n":null,"at":null,"note":null,"more":null,"doc":null})");
    EXPECT_EQ(value(20'006, R"((1,,"",{},null))"), R"({"n":1,"at":null,"note":"","more":[],"doc":null})");
    EXPECT_EQ(value(20'007, R"x({"(1,,\"a b\",,)",NULL})x"), R"([{"n":1,"at":null,"note":"a b","more":null,"doc":null},null])");
    EXPECT_EQ(value(20'011, "()"), "{}");
    EXPECT_EQ(value(20'012, R"x(("(1,,""a """"b"""""",,)","{""(2,,,,)""}"))x"),
              R"({"a":{"n":1,"at":null,"note":"a \"b\"","more":null,"doc":null},)"
              R"("b":[{"n":2,"at":null,"note":null,"more":null,"doc":null}]})");
}

TEST(Value, of_an_hstore_is_an_object_of_texts) {
    EXPECT_EQ(value(20'008, ""), "{}");
    EXPECT_EQ(value(20'008, R"("a"=>"1", "b \"q\" \\"=>NULL, "c"=>"NULL", "d"=>"", ""=>"=>, ")"),
              R"({"a":"1","b \"q\" \\":null,"c":"NULL","d":"","":"=>, "})");
}

TEST(Value, that_is_not_what_its_type_says_is_a_text) {
    for (const auto* text : {"", "(", "()", "(1)", "(1,,,,", "(1,,,,)x", "(1,,,,,)", "(\"1,,,,)", "1,,,,"}) {
        EXPECT_TRUE(value(20'006, text).starts_with('"')) << text << " became " << value(20'006, text);
    }
    for (const auto* text : {"a", "\"a\"", "\"a\"=>", "\"a\"=>b", "\"a\"=>\"b\",", "\"a\"=>\"b\" ", "\"a\"=>\"b\"\"c\"=>NULL"}) {
        EXPECT_TRUE(value(20'008, text).starts_with('"')) << text << " became " << value(20'008, text);
    }
    EXPECT_EQ(value(20'010, "{a,b}"), R"("{a,b}")") << "an enum's label";
    EXPECT_EQ(value(29'999, "(1,2)"), R"x("(1,2)")x") << "a type that is not known";
}

TEST(Types, are_read_as_what_is_below_them) {
    EXPECT_EQ(types.read_as(23), 23u);
    EXPECT_EQ(types.read_as(20'002), 23u);
    EXPECT_EQ(types.read_as(20'004), 1007u);
    EXPECT_EQ(types.read_as(20'009), 20'008u);
    EXPECT_EQ(types.read_as(29'999), 29'999u);
    EXPECT_TRUE(types.knows(2950));
    EXPECT_TRUE(types.knows(20'010));
    EXPECT_FALSE(types.knows(29'999));
}

}  // namespace connector
