#include "app/doctor_report.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace app {
namespace {

using Level = Finding::Level;

TableFacts table() {
    return {.schema = "public",
            .table = "orders",
            .exists = true,
            .is_table = true,
            .owned = true,
            .published = true,
            .identity = 'f',
            .has_identity = true,
            .key = "id",
            .updates = true,
            .deletes = true};
}

DatabaseFacts healthy() {
    return {
        .role = "connector",
        .database = "shop",
        .version = "15.18",
        .wal_level = "logical",
        .encoding = "UTF8",
        .synchronous_commit = "on",
        .keep_size = "10GB",
        .version_number = 150'018,
        .replication = true,
        .may_create = true,
        .tls = true,
        .verified = true,
        .slots_max = 10,
        .slots_used = 1,
        .senders_max = 10,
        .senders_used = 1,
        .keep_bytes = 10ll << 30,
        .published_before = true,
        .slot =
            SlotFacts{.ours = true, .active = true, .wal_status = "reserved", .lag_bytes = 3 << 20, .safe_wal_bytes = 10ll << 30},
        .publication = PublicationFacts{.owned = true, .all_operations = true},
        .tables = {table()},
        .original = {}};
}

/// What is not good, and what is said of one thing.
Findings ailments(const DatabaseFacts& facts) {
    auto findings = diagnose({}, facts);
    std::erase_if(findings, [](const Finding& each) { return each.level == Level::good; });
    return findings;
}
Finding only(const DatabaseFacts& facts) {
    const auto found = ailments(facts);
    EXPECT_EQ(found.size(), 1);
    return found.empty() ? Finding{} : found.front();
}

TEST(Doctor, has_nothing_to_say_against_what_is_well) {
    EXPECT_EQ(ailments(healthy()), Findings{});
    EXPECT_TRUE(is_well(diagnose({}, healthy())));
    EXPECT_TRUE(to_text(diagnose({}, healthy()), false).contains("✓ slot          palimpsest is being read, 3.0 MiB behind\n"));
    EXPECT_TRUE(to_text(diagnose({}, healthy()), false).ends_with("\n  All is well.\n\n"));
}

TEST(Doctor, says_the_sql_for_a_server_that_cannot_replicate) {
    auto facts = healthy();
    facts.wal_level = "replica";
    EXPECT_EQ(only(facts).level, Level::bad);
    EXPECT_TRUE(only(facts).mend.starts_with("ALTER SYSTEM SET wal_level = logical;\n"));
    facts = healthy();
    facts.replication = false;
    EXPECT_TRUE(only(facts).mend.starts_with("ALTER ROLE \"connector\" REPLICATION;"));
    facts = healthy();
    facts.may_create = false;
    EXPECT_EQ(only(facts).mend, "GRANT CREATE ON DATABASE \"shop\" TO \"connector\";");
}

TEST(Doctor, knows_what_a_table_without_a_key_will_do) {
    auto facts = healthy();
    facts.tables.front().has_identity = false;
    facts.tables.front().identity = 'd';
    EXPECT_EQ(only(facts).level, Level::bad);
    EXPECT_TRUE(only(facts).mend.contains("ALTER TABLE \"public\".\"orders\" REPLICA IDENTITY FULL;"));
}

TEST(Doctor, warns_where_a_delete_tells_only_the_key) {
    auto facts = healthy();
    facts.tables.front().identity = 'd';
    EXPECT_EQ(only(facts).level, Level::warning);
    EXPECT_EQ(only(facts).says, "a DELETE of \"public\".\"orders\" tells its key only (id)");
    EXPECT_TRUE(is_well(diagnose({}, facts)));
    facts.tables.front().deletes = facts.tables.front().updates = false;
    EXPECT_EQ(ailments(facts), Findings{});
}

TEST(Doctor, wants_what_is_not_ours_to_be_given_or_published_by_its_owner) {
    auto facts = healthy();
    facts.tables.front().owned = facts.tables.front().published = false;
    facts.publication->owned = false;
    const auto found = ailments(facts);
    ASSERT_EQ(found.size(), 2);
    EXPECT_EQ(found[0].mend, "ALTER TABLE \"public\".\"orders\" OWNER TO \"connector\";");
    EXPECT_EQ(found[1].mend, "ALTER PUBLICATION \"palimpsest\" ADD TABLE \"public\".\"orders\";");
}

TEST(Doctor, tells_a_slot_that_is_lost_from_one_that_is_about_to_be) {
    auto facts = healthy();
    facts.slot->wal_status = "lost";
    EXPECT_EQ(only(facts).mend,
              "SELECT pg_drop_replication_slot('palimpsest');\nDELETE FROM palimpsest.channel_tail WHERE slot = 'palimpsest';");
    facts = healthy();
    facts.slot->safe_wal_bytes = 1 << 20;
    EXPECT_EQ(only(facts).level, Level::bad);
    EXPECT_TRUE(only(facts).says.contains("1.0 MiB more and its log is removed"));
    facts = healthy();
    facts.slot->active = false;
    EXPECT_EQ(only(facts).level, Level::warning);
    facts = healthy();
    facts.slot.reset();
    EXPECT_EQ(only(facts).mend, "DELETE FROM palimpsest.channel_tail WHERE slot = 'palimpsest';");
    facts.published_before = false;
    EXPECT_EQ(ailments(facts), Findings{});
}

TEST(Doctor, counts_the_room_that_is_left) {
    auto facts = healthy();
    facts.slot->active = false;
    facts.senders_used = 10;
    EXPECT_EQ(ailments(facts).front().says, "all 10 WAL senders are busy");
    facts = healthy();
    facts.keep_bytes = -1;
    EXPECT_EQ(only(facts).mend, "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB';\nSELECT pg_reload_conf();");
}

TEST(Doctor, removes_what_the_original_connector_left) {
    auto facts = healthy();
    facts.original = {
        .triggers = {{"orders_notify_insert", "orders"}}, .functions = {"ably_notify()"}, .control_tables = {"ablycontroltable"}};
    EXPECT_EQ(only(facts).level, Level::warning);
    EXPECT_EQ(only(facts).mend,
              "DROP TRIGGER orders_notify_insert ON orders;\nDROP FUNCTION ably_notify();\nDROP TABLE ablycontroltable;");
}

TEST(Doctor, says_it_to_scripts_too) {
    EXPECT_EQ(to_json({{.level = Level::bad, .about = "role", .says = "no", .mend = "GRANT"}}),
              R"({"ok":false,"findings":[{"level":"bad","about":"role","says":"no","mend":"GRANT"}]})");
}

}  // namespace
TEST(Doctor, tells_of_each_relation_that_the_connector_would_refuse_with_its_sql) {
    auto facts = healthy();
    facts.tables[0].problems = {{"partition a lacks it", "ALTER TABLE a;"}, {"partition b lacks it", "ALTER TABLE b;"}};
    facts.publication->strangers = {"\"public\".\"child\""};
    const auto found = ailments(facts);
    ASSERT_EQ(found.size(), 3u);
    EXPECT_FALSE(is_well(found));
    EXPECT_EQ(found[0].mend, "ALTER TABLE a;");
    EXPECT_EQ(found[1].mend, "ALTER TABLE b;");
    EXPECT_TRUE(found[2].mend.ends_with("DROP TABLE ONLY \"public\".\"child\";")) << found[2].mend;
}

TEST(Doctor, says_that_children_are_not_fed_and_finds_that_well) {
    auto facts = healthy();
    facts.tables[0].children = {"public.child"};
    const auto finding = only(facts);
    EXPECT_EQ(finding.level, Level::warning);
    EXPECT_TRUE(finding.says.contains("public.child"));
}

}  // namespace app
