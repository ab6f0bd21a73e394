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
    const auto refusals = refusals_of({feed}, name, table, snapshot, version);
    return refusals.empty() ? "none" : to_error(refusals).message;
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
    EXPECT_TRUE(to_error(refusals_of(differ, name, full(), false, 150'018)).message.contains("differ"));
}

namespace {

std::vector<std::string> sql_of(const Refusals& refusals) {
    std::vector<std::string> all;
    for (const auto& each : refusals) all.push_back(each.sql + (each.breaks_writes ? " !" : ""));
    return all;
}
/// With partitions: one with a key, one with REPLICA IDENTITY FULL, one with nothing, one in between that has no rows.
Table partitioned(Table table) {
    table.partitioned = true;
    table.partitions = {{.name = {"public", "by_key"}, .identity = {.columns = {"id"}}},
                        {.name = {"public", "full"}, .identity = {.full = true}},
                        {.name = {"old", "none"}, .identity = {}},
                        {.name = {"public", "between"}, .kind = 'p', .identity = {}}};
    return table;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST(Publication, of_a_partitioned_table_is_judged_by_each_partitions_own_identity) {
    const Feed plain{.table = "note", .channel = "x"}, by_room{.table = "note", .channel = "x:{room}"};
    const std::string none = R"(ALTER TABLE "old"."none" REPLICA IDENTITY FULL;)",
                      key = R"(ALTER TABLE "public"."by_key" REPLICA IDENTITY FULL;)";
    EXPECT_EQ(sql_of(refusals_of({plain}, name, partitioned(by_key), false, 150'018)), (Texts{none + " !"}));
    EXPECT_EQ(sql_of(refusals_of({plain}, name, partitioned(full()), false, 150'018)), (Texts{key, none + " !"}))
        << "whole old rows would come with columns empty";
    auto mended = partitioned(by_key);
    mended.partitions.erase(mended.partitions.begin() + 2);
    EXPECT_EQ(sql_of(refusals_of({plain}, name, mended, false, 150'018)), Texts{});
    EXPECT_EQ(sql_of(refusals_of({by_room}, name, mended, false, 150'018)), (Texts{way_out, key}));
    auto other = mended;
    other.partitions[0].identity.columns = {"room"};
    EXPECT_EQ(sql_of(refusals_of({plain}, name, other, false, 150'018)), (Texts{key})) << "not the columns that the table's old rows have";
    mended.partitions[1].persistence = 'u';
    EXPECT_EQ(sql_of(refusals_of({plain}, name, mended, false, 150'018)), (Texts{R"(ALTER TABLE "public"."full" SET LOGGED;)"}));
}

TEST(Publication, is_refused_for_a_key_that_is_deferrable_and_says_so) {
    auto table = by_key;
    table.identity.clear();
    table.key_is_deferrable = true;
    const auto refusals = refusals_of({{.table = "note", .channel = "x"}}, name, table, false, 150'018);
    EXPECT_EQ(sql_of(refusals), (Texts{way_out + " !"}));
    EXPECT_TRUE(refusals[0].says.contains("deferrable"));
}

TEST(Publication, is_not_of_a_partition_beside_its_table) {
    const Tables both{{name, partitioned(by_key)}, {{"public", "full"}, full()}};
    ASSERT_EQ(refusals_among(both).size(), 1u);
    EXPECT_EQ(refusals_among(both)[0].table, (TableName{"public", "full"}));
    EXPECT_TRUE(refusals_among({{name, by_key}}).empty());
}

TEST(Publication, names_so_many_relations_and_then_their_number) {
    auto table = by_key;
    for (std::size_t i = 0; i < refusals_told_max + 5; ++i) table.partitions.push_back({.name = {"public", "p" + std::to_string(i)}});
    const auto message = to_error(refusals_of({{.table = "note", .channel = "x"}}, name, table, false, 150'018)).message;
    EXPECT_TRUE(message.contains("\"p19\"") && !message.contains("\"p20\"")) << message;
    EXPECT_TRUE(message.ends_with("And 5 more: palimpsest doctor names them all"));
}

TEST(Publication, that_makes_writes_fail_is_told_by_its_columns_and_filter) {
    auto table = by_key;
    table.listed = std::vector<std::string>{"body"};
    EXPECT_FALSE(publication_breaks_writes(table)) << "it is not in the publication";
    table.member = 1;
    EXPECT_TRUE(publication_breaks_writes(table));
    table.listed = std::vector<std::string>{"id", "body"};
    EXPECT_FALSE(publication_breaks_writes(table));
    table.filtered_by = {"body"};
    EXPECT_TRUE(publication_breaks_writes(table));
    auto whole = full();
    whole.member = 1;
    whole.filtered_by = {"body"};
    EXPECT_FALSE(publication_breaks_writes(whole));
    whole.listed = std::vector<std::string>{"id", "room", "body"};
    EXPECT_TRUE(publication_breaks_writes(whole)) << "Postgres takes no list with REPLICA IDENTITY FULL";
}

TEST(Publication, is_changed_when_its_relations_differ_from_what_is_wanted_and_by_no_name) {
    Config config;
    config.feeds = {{.table = "note", .channel = "x"}};
    auto table = by_key;
    table.oid = 7;
    Publication found{.exists = true, .all_operations = true, .members = {7}, .left = R"(ONLY "public"."note")"};
    EXPECT_EQ(change_of(found, config, {{name, table}}, 150'018), "");
    found.members = {7, 8};
    EXPECT_EQ(change_of(found, config, {{name, table}}, 150'018), R"(ALTER PUBLICATION "palimpsest" SET TABLE ONLY "public"."note";)");
    found.members = {6};
    EXPECT_EQ(change_of(found, config, {{name, table}}, 150'018), R"(ALTER PUBLICATION "palimpsest" SET TABLE ONLY "public"."note";)");
    found.members = {7};
    found.of_schemas = true;
    EXPECT_EQ(change_of(found, config, {{name, table}}, 150'018), R"(ALTER PUBLICATION "palimpsest" SET TABLE ONLY "public"."note";)");
    found.of_schemas = false;
    table.partitioned = true;
    found.left = R"("public"."note")";
    EXPECT_EQ(change_of(found, config, {{name, table}}, 150'018), "");
}

TEST(Publication, of_a_table_that_was_fed_as_another_relation_or_membership_was_interrupted) {
    auto table = by_key;
    table.oid = 7;
    table.member = 70;
    const Tables tables{{name, table}};
    EXPECT_TRUE(interrupted({}, tables).empty()) << "it was never fed";
    EXPECT_TRUE(interrupted({.fed = {{"public.note", "7/70"}}}, tables).empty());
    for (const auto* before : {"6/70", "7/71", ""}) {
        EXPECT_EQ(interrupted({.fed = {{"public.note", before}}}, tables), (std::set<TableName>{name})) << before;
    }
}

}  // namespace connector
