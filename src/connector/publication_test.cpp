#include "connector/publication.hpp"

#include <gtest/gtest.h>

namespace connector {
namespace {

const TableName name{"public", "note"};
const Table by_key{.columns = {{"id", 23}, {"room", 25}, {"body", 25}}, .key = {"id"}, .identity = {"id"}};
Table full() {
    auto table = by_key;
    table.identity.clear();
    table.identity_full = true;
    return table;
}

std::string refusal(Feed feed, const Table& table, bool snapshot = false, int version = 150'018) {
    feed.table = "note";
    const auto checked = check_feeds({feed}, name, table, snapshot, version);
    return checked ? "none" : checked.error().message;
}
const std::string way_out = R"(ALTER TABLE "public"."note" REPLICA IDENTITY FULL;)";

}  // namespace

TEST(Publication, of_some_columns_has_those_and_what_rows_are_known_by) {
    const Feed some{.table = "note", .channel = "room:{room}", .columns = {"body"}};
    EXPECT_EQ(published({some}, name, by_key, 150'002), R"("public"."note" ("body", "room", "id"))");
    EXPECT_EQ(published({some}, name, by_key, 140'000), R"("public"."note")");
    EXPECT_EQ(published({some}, name, full(), 150'002), R"("public"."note")") << "the server would refuse updates";
    const Feed all{.table = "note", .channel = "all"};
    EXPECT_EQ(published({some, all}, name, by_key, 150'002), R"("public"."note")");
}

TEST(Publication, of_some_rows_has_the_filter) {
    const Feed some{.table = "note", .channel = "x", .where = "room = 'a'"};
    EXPECT_EQ(published({some}, name, full(), 150'002), R"("public"."note" WHERE (room = 'a'))");
}

TEST(Publication, is_refused_where_it_could_not_work_with_the_sql_that_mends_it) {
    EXPECT_EQ(refusal({.channel = "x"}, by_key), "none");
    EXPECT_EQ(refusal({.channel = "x:{id}"}, by_key), "none");
    EXPECT_EQ(refusal({.channel = "x:{room}"}, full()), "none");
    EXPECT_EQ(refusal({.channel = "x:{room}", .updates = false, .deletes = false}, by_key), "none");
    EXPECT_EQ(refusal({.channel = "x", .payload = Payload::message}, by_key), "none");
    EXPECT_TRUE(refusal({.channel = "x:{room}"}, by_key).ends_with(way_out));
    EXPECT_TRUE(refusal({.channel = "x"}, Table{.columns = by_key.columns}).ends_with(way_out));
    EXPECT_TRUE(refusal({.channel = "x", .where = "true"}, by_key).ends_with(way_out));
    EXPECT_TRUE(refusal({.channel = "x", .where = "true"}, full(), false, 140'010).contains("Postgres has them from 15 on"));
    EXPECT_TRUE(refusal({.channel = "x:{gone}"}, by_key).contains(R"(no column "gone")"));
    EXPECT_TRUE(refusal({.channel = "x", .columns = {"gone"}}, by_key).contains(R"(no column "gone")"));
    auto keyless = full();
    keyless.key.clear();
    EXPECT_EQ(refusal({.channel = "x"}, keyless), "none");
    EXPECT_TRUE(refusal({.channel = "x"}, keyless, /*snapshot=*/true).contains("snapshot = \"initial\""));
    EXPECT_TRUE(refusal({.channel = "x", .payload = Payload::message}, keyless).contains("payload = \"message\""));
    const std::vector<Feed> differ{{.table = "note", .channel = "a", .where = "x"}, {.table = "note", .channel = "b"}};
    EXPECT_TRUE(check_feeds(differ, name, full(), false, 150'018).error().message.contains("differ"));
}

}  // namespace connector
