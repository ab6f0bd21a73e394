#include "connector/snapshot_plan.hpp"

#include <gtest/gtest.h>

namespace connector {
namespace {

const Table notes{.columns = {{"id", 20}, {"kind", 25}, {"u", 2950}}, .key = {"id", "kind"}};
const TableName name{"public", "note"};
const std::vector<std::uint32_t> types{20, 25};
using Key = std::vector<std::string>;

}  // namespace

TEST(SnapshotPlan, reads_a_table_in_the_order_of_its_key) {
    EXPECT_EQ(snapshot_sql(name, notes, {}, ""),
              R"(SELECT "id", "kind", "u" FROM ONLY "public"."note" ORDER BY "id", "kind" COLLATE "C")");
    EXPECT_EQ(snapshot_sql(name, notes, {"public.note", Key{"7", "it's"}}, "id > 0"),
              R"(SELECT "id", "kind", "u" FROM ONLY "public"."note" WHERE (id > 0) AND ("id", "kind" COLLATE "C") > (7::bigint, 'it''s') )"
              R"(ORDER BY "id", "kind" COLLATE "C")");
    const Table other{.columns = {{"u", 2950}}, .key = {"u"}, .partitioned = true};
    EXPECT_EQ(snapshot_sql(name, other, {"public.else", Key{"7"}}, ""),
              R"(SELECT "u" FROM "public"."note" ORDER BY format('%s', "u") COLLATE "C")");
}

TEST(SnapshotPlan, orders_keys_as_the_query_does) {
    const RowPlace place{"public.note", Key{"9", "b"}};
    EXPECT_TRUE(is_behind({"10", "a"}, place, types));
    EXPECT_TRUE(is_behind({"9", "c"}, place, types));
    EXPECT_FALSE(is_behind({"9", "b"}, place, types));
    EXPECT_FALSE(is_behind({"-10", "z"}, place, types));
    EXPECT_TRUE(is_behind({"-10", ""}, {"public.note", std::nullopt}, types));
}

TEST(SnapshotPlan, a_change_is_read_already_when_the_part_that_has_its_row_was_read_after_it) {
    const std::vector<SnapshotPart> parts{{Lsn{100}, {}}, {Lsn{200}, {"b", Key{"5"}}}, {Lsn{300}, {"c", std::nullopt}}};
    const auto read = [&](const char* table, const char* key, std::uint64_t commit) {
        return is_read_already(parts, table, {key}, {20}, Lsn{commit});
    };
    EXPECT_FALSE(read("a", "1", 150)) << "read before it was changed";
    EXPECT_FALSE(read("b", "5", 150));
    EXPECT_TRUE(read("b", "6", 150));
    EXPECT_FALSE(read("b", "6", 200));
    EXPECT_TRUE(read("c", "1", 299));
    EXPECT_TRUE(read("d", "1", 299));
    EXPECT_FALSE(read("d", "1", 300));
}

TEST(SnapshotPlan, keeps_keys_as_json) {
    EXPECT_EQ(to_json(Key{"1", "a\"b"}), R"(["1","a\"b"])");
    EXPECT_EQ(key_of_json(R"(["1","a\"b"])"), (Key{"1", "a\"b"}));
    EXPECT_EQ(key_of_json(""), std::nullopt);
}

}  // namespace connector
