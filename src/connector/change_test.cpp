#include "connector/change.hpp"

#include <gtest/gtest.h>

namespace connector {
namespace {

using namespace postgres::pgoutput;
using Kind = postgres::pgoutput::Column::Kind;

postgres::pgoutput::Column text(std::string_view text) { return {Kind::text, text}; }
const postgres::pgoutput::Column null{Kind::null, {}}, toast{Kind::unchanged_toast, {}};

const connector::Relation notes{"public", "notes", {{"id", 20, true}, {"body", 25, false}, {"done", 16, false}}};

}  // namespace

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

TEST(Change, of_a_table_that_is_truncated_has_no_row) {
    EXPECT_EQ(truncated({"public", "a \"table\"", {}}), R"({"table":"a \"table\"","type":"TRUNCATE"})");
}

TEST(Change, that_is_too_large_is_an_error_with_the_columns_that_are_the_key_and_short) {
    const auto error = R"("error":{"code":40009,"message":"a change of 300000 bytes is larger than a message may be"}})";
    const std::string large(300'000, 'x');
    EXPECT_EQ(too_large(notes, Insert{1, {text("7"), text(large), null}}, 300'000),
              std::string{R"({"table":"notes","type":"INSERT","row":{"id":7},)"} + error);
    EXPECT_EQ(too_large(notes, Update{1, std::nullopt, false, {text("7"), text(large), null}}, 300'000),
              std::string{R"({"table":"notes","type":"UPDATE","row":{"id":7},)"} + error);
    const connector::Relation full{"public", "notes", {{"id", 20, true}, {"body", 25, true}, {"done", 16, true}}};
    EXPECT_EQ(too_large(full, Delete{1, {text("7"), text(large), text("t")}, false}, 300'000),
              std::string{R"({"table":"notes","type":"DELETE","row":{"id":7,"done":true},)"} + error);

    connector::Relation wide{"public", "wide", {}};
    Tuple row;
    for (int i = 0; i < 1'000; ++i) {
        wide.columns.push_back({"c" + std::to_string(i), 25, true});
        row.push_back(text(std::string_view{large}.substr(0, 200)));
    }
    EXPECT_LT(too_large(wide, Insert{1, row}, 1).size(), 10'000u);
}

TEST(Change, does_not_guess_when_row_and_relation_do_not_fit) {
    const auto error = base::Error{base::ErrorCode::internal_error, "a row of public.notes does not fit its description"};
    EXPECT_EQ(to_json(notes, Insert{1, {text("1")}}).error(), error);
    EXPECT_EQ(to_json(notes, Update{1, Tuple{text("1")}, false, {text("1"), null, null}}).error(), error);
    EXPECT_EQ(to_json(notes, Delete{1, {}, true}).error(), error);
    EXPECT_EQ(to_json(notes, Insert{1, {text("1"), {Kind::binary, "x"}, null}}).error(), error);
}

}  // namespace connector
