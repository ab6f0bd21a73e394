#include "connector/change.hpp"

#include <gtest/gtest.h>

namespace connector {
namespace {

using namespace postgres::pgoutput;
using Kind = postgres::pgoutput::Column::Kind;

std::string value(std::uint32_t type, std::string_view text) {
    std::string out;
    append_value(out, type, text);
    return out;
}

postgres::pgoutput::Column text(std::string_view text) { return {Kind::text, text}; }
const postgres::pgoutput::Column null{Kind::null, {}}, toast{Kind::unchanged_toast, {}};

const connector::Relation notes{"public", "notes", {{"id", 20, true}, {"body", 25, false}, {"done", 16, false}}};

}  // namespace

TEST(ChangeValue, is_json_of_its_own_type_where_json_has_one) {
    EXPECT_EQ(value(16, "t"), "true");
    EXPECT_EQ(value(16, "f"), "false");
    EXPECT_EQ(value(21, "-32768"), "-32768");
    EXPECT_EQ(value(23, "2147483647"), "2147483647");
    EXPECT_EQ(value(26, "4294967295"), "4294967295");
    EXPECT_EQ(value(114, R"({"a": [1,  2]})"), R"({"a": [1,  2]})");
    EXPECT_EQ(value(3802, "null"), "null");
    EXPECT_EQ(value(25, "a \"quoted\"\n\\ \x01 \xE2\x82\xAC"), "\"a \\\"quoted\\\"\\n\\\\ \\u0001 \xE2\x82\xAC\"");
    EXPECT_EQ(value(2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"");
    EXPECT_EQ(value(1007, "{1,2}"), "\"{1,2}\"");
}

TEST(ChangeValue, is_a_number_only_where_a_double_has_every_digit) {
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

TEST(ChangeValue, of_a_time_is_iso_8601_as_row_to_json_gave_it) {
    EXPECT_EQ(value(1184, "2024-05-06 07:08:09.123456+00"), "\"2024-05-06T07:08:09.123456+00:00\"");
    EXPECT_EQ(value(1114, "2024-05-06 07:08:09"), "\"2024-05-06T07:08:09\"");
    EXPECT_EQ(value(1184, "infinity"), "\"infinity\"");
    EXPECT_EQ(value(1184, "0044-03-15 12:00:00+00 BC"), "\"0044-03-15 12:00:00+00 BC\"");
    EXPECT_EQ(value(1082, "2024-05-06"), "\"2024-05-06\"");
}

TEST(Change, carries_the_new_row_or_of_a_delete_the_old_one) {
    EXPECT_EQ(to_json(notes, Insert{1, {text("1"), text("a"), null}}),
              R"({"table":"notes","type":"INSERT","row":{"id":1,"body":"a","done":null}})");
    EXPECT_EQ(to_json(notes, Update{1, Tuple{text("1"), text("a"), null}, false, {text("1"), text("b"), text("t")}}),
              R"({"table":"notes","type":"UPDATE","row":{"id":1,"body":"b","done":true}})");
    EXPECT_EQ(to_json(notes, Delete{1, {text("1"), text("b"), text("t")}, false}),
              R"({"table":"notes","type":"DELETE","row":{"id":1,"body":"b","done":true}})");
}

TEST(Change, of_a_delete_that_has_only_the_key_has_only_the_key) {
    EXPECT_EQ(to_json(notes, Delete{1, {text("1"), null, null}, true}), R"({"table":"notes","type":"DELETE","row":{"id":1}})");
}

TEST(Change, takes_an_untouched_long_text_from_the_old_row_or_says_that_it_is_unchanged) {
    EXPECT_EQ(to_json(notes, Update{1, Tuple{text("1"), text("long"), null}, false, {text("1"), toast, text("t")}}),
              R"({"table":"notes","type":"UPDATE","row":{"id":1,"body":"long","done":true}})");
    EXPECT_EQ(to_json(notes, Update{1, std::nullopt, false, {text("1"), toast, text("t")}}),
              R"({"table":"notes","type":"UPDATE","row":{"id":1,"done":true},"unchanged":["body"]})");
    EXPECT_EQ(to_json(notes, Update{1, Tuple{text("0"), null, null}, true, {text("1"), toast, text("t")}}),
              R"({"table":"notes","type":"UPDATE","row":{"id":1,"done":true},"unchanged":["body"]})");
}

TEST(Change, does_not_guess_when_row_and_relation_do_not_fit) {
    const auto error = base::Error{base::ErrorCode::internal_error, "a row of public.notes does not fit its description"};
    EXPECT_EQ(to_json(notes, Insert{1, {text("1")}}).error(), error);
    EXPECT_EQ(to_json(notes, Update{1, Tuple{text("1")}, false, {text("1"), null, null}}).error(), error);
    EXPECT_EQ(to_json(notes, Delete{1, {}, true}).error(), error);
    EXPECT_EQ(to_json(notes, Insert{1, {text("1"), {Kind::binary, "x"}, null}}).error(), error);
}

}  // namespace connector
