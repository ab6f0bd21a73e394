// What each feed sends: channels made of columns, columns and rows left out, payload forms, and what SQL publishes itself.
#include <thread>

#include "connector_subject.hpp"

using namespace integration;
using connector::Payload;
using protocol::MessageAction;

namespace {

class FeedsTest : public ConnectorTest {
protected:
    FeedsTest() {
        client("CREATE TABLE post (id int PRIMARY KEY, room text, body text, secret text)");
        client("ALTER TABLE post REPLICA IDENTITY FULL");
    }
    Config feeds(std::vector<Feed> feeds) const {
        auto made = config();
        made.feeds = std::move(feeds);
        return made;
    }
    /// "address data" of each change.
    static Texts heard(Subject& subject) {
        Texts all;
        for (const auto& [address, place, data] : subject.changes()) all.push_back(address + " " + data);
        return all;
    }
    Table published() {
        return client("SELECT tablename, attnames, rowfilter FROM pg_publication_tables WHERE pubname = 'palimpsest' ORDER BY 1");
    }
};

}  // namespace

TEST_F(FeedsTest, a_channel_made_of_columns_hears_of_its_rows_and_a_row_that_moves_leaves_one_and_enters_another) {
    Subject subject{feeds({{.table = "post", .channel = "room:{room}", .columns = {"id", "room"}}})};
    wait_until_ready(subject);
    client("INSERT INTO post VALUES (1, 'a', 'x', 's'), (2, 'b', 'x', 's')");
    client("UPDATE post SET room = 'b' WHERE id = 1");
    client("UPDATE post SET body = 'y' WHERE id = 2");
    client("DELETE FROM post WHERE id = 1");
    ASSERT_TRUE(subject.waits_for(6));
    const auto row = [](std::string_view type, int id, std::string_view room) {
        return fmt::format(R"(app/room:{2} {{"table":"post","type":"{0}","row":{{"id":{1},"room":"{2}"}}}})", type, id, room);
    };
    EXPECT_EQ(heard(subject), (Texts{row("INSERT", 1, "a"), row("INSERT", 2, "b"), row("DELETE", 1, "a"), row("INSERT", 1, "b"),
                                     row("UPDATE", 2, "b"), row("DELETE", 1, "b")}));
    EXPECT_EQ(subject.changes()[2].place, subject.changes()[3].place);
    EXPECT_TRUE(subject.starts_under().at("app/room:").second);
}

TEST_F(FeedsTest, a_row_without_a_channel_is_passed_by_and_counted) {
    Subject subject{feeds({{.table = "post", .channel = "room:{room}"}, {.table = "note", .channel = "notes"}})};
    wait_until_ready(subject);
    client("INSERT INTO post VALUES (1, NULL, 'x'), (2, E'a\\nb', 'x'), (3, '', 'x')");
    client("INSERT INTO note VALUES (1, 'after')");
    ASSERT_TRUE(subject.waits_for(1));
    EXPECT_EQ(subject.data(), (Texts{note("INSERT", 1, "after")}));
    EXPECT_EQ(subject.status().unaddressed, 3u);
}

TEST_F(FeedsTest, channels_made_of_columns_start_where_the_slot_did_and_after_a_restart_at_their_tails) {
    auto rooms = feeds({{.table = "post", .channel = "room:{room}"}});
    rooms.confirm_after = 0ms;
    WalPlace start, last;
    {
        Subject first{rooms};
        wait_until_ready(first);
        start = first.starts_under().at("app/room:").first;
        EXPECT_EQ(first.starts(), (std::map<std::string, WalPlace>{}));
        client("INSERT INTO post VALUES (1, 'a', 'x')");
        ASSERT_TRUE(first.waits_for(1));
        last = first.changes()[0].place;
        ASSERT_TRUE(eventually([&] { return confirmed().value > last.commit_lsn; }));
    }
    Subject second{rooms};
    ASSERT_TRUE(second.waits_until_caught_up());
    EXPECT_EQ(second.starts(), (std::map<std::string, WalPlace>{{"app/room:a", last}}));
    EXPECT_EQ(second.starts_under().at("app/room:").first, start);
    EXPECT_EQ(second.changes(), std::vector<Subject::Change>{});
}

TEST_F(FeedsTest, a_channel_made_of_what_a_delete_does_not_tell_is_refused_until_it_does) {
    client("CREATE TABLE keyed (id int PRIMARY KEY, room text)");
    Subject subject{feeds({{.table = "keyed", .channel = "room:{room}"}})};
    ASSERT_TRUE(subject.waits_for_reason(R"(ALTER TABLE "public"."keyed" REPLICA IDENTITY FULL;)"));
    client(R"(ALTER TABLE "public"."keyed" REPLICA IDENTITY FULL;)");
    wait_until_ready(subject);
    client("INSERT INTO keyed VALUES (1, 'a')");
    ASSERT_TRUE(subject.waits_for(1));
}

TEST_F(FeedsTest, columns_that_nobody_is_to_see_do_not_leave_the_server) {
    client("CREATE TABLE keyed (id int PRIMARY KEY, body text, secret text)");
    Subject subject{feeds({{.table = "keyed", .channel = "keyed", .columns = {"body"}}})};
    wait_until_ready(subject);
    client("INSERT INTO keyed VALUES (1, 'a', 's')");
    client("UPDATE keyed SET secret = 't'");
    client("DELETE FROM keyed");
    ASSERT_TRUE(subject.waits_for(3));
    EXPECT_EQ(subject.data(), (Texts{R"({"table":"keyed","type":"INSERT","row":{"body":"a"}})",
                                     R"({"table":"keyed","type":"UPDATE","row":{"body":"a"}})", R"({"table":"keyed","type":"DELETE","row":{}})"}));
    EXPECT_EQ(published(), (Table{{"keyed", "{id,body}", "NULL"}}));
}

TEST_F(FeedsTest, a_filter_is_the_publications_and_a_row_that_passes_into_it_is_inserted) {
    Subject subject{feeds({{.table = "post", .channel = "a", .columns = {"id"}, .where = "room = 'a'"}})};
    wait_until_ready(subject);
    client("INSERT INTO post VALUES (1, 'a'), (2, 'b')");
    client("UPDATE post SET room = 'a' WHERE id = 2");
    client("UPDATE post SET room = 'b' WHERE id = 1");
    ASSERT_TRUE(subject.waits_for(3));
    EXPECT_EQ(subject.data(), (Texts{R"({"table":"post","type":"INSERT","row":{"id":1}})", R"({"table":"post","type":"INSERT","row":{"id":2}})",
                                     R"({"table":"post","type":"DELETE","row":{"id":1}})"}));
}

TEST_F(FeedsTest, a_filter_of_somebody_elses_stays_and_one_of_ours_goes_when_it_is_gone_from_the_feeds) {
    const auto filter = [&] { return published().at(0).at(2); };
    client("CREATE PUBLICATION palimpsest FOR TABLE note WHERE (id > 10) WITH (publish_via_partition_root)");
    {
        Subject subject{config()};
        wait_until_ready(subject);
        EXPECT_EQ(filter(), "(id > 10)");
    }
    auto ours = config();
    ours.feeds[0].where = "id > 20";
    {
        Subject subject{ours};
        wait_until_ready(subject);
        EXPECT_EQ(filter(), "(id > 20)");
    }
    Subject subject{config()};
    wait_until_ready(subject);
    EXPECT_EQ(filter(), "NULL");
}

TEST_F(FeedsTest, a_change_tells_what_was_what_is_and_when_it_was_committed) {
    Subject subject{feeds({{.table = "note", .channel = "notes", .payload = Payload::change, .name = "edit"}})};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (1, 'a')");
    client("UPDATE note SET body = 'b'");
    ASSERT_TRUE(subject.waits_for(2));
    const auto message = subject.messages()[1];
    EXPECT_EQ(message.name, "edit");
    EXPECT_EQ(message.encoding, "json");
    const auto data = subject.data()[1];
    const auto parts = client("SELECT d->'new'->>'body', d->'old'->>'body', d->>'changed', (d->>'committed')::timestamptz BETWEEN now() - "
                              "interval '1 minute' AND now(), (d->>'lsn')::pg_lsn::text, d->>'xid' = (xmin::text) FROM (SELECT '" + data +
                              "'::json d) x, note");
    const auto commit = postgres::to_string(postgres::Lsn{subject.changes()[1].place.commit_lsn});
    EXPECT_EQ(parts, (Table{{"b", "a", R"(["body"])", "t", commit, "t"}}));
}

TEST_F(FeedsTest, rows_are_messages_with_a_serial_that_is_their_keys_whenever_they_were_inserted) {
    client("INSERT INTO note VALUES (1, 'before the connector')");
    const auto rows = feeds({{.table = "note", .channel = "notes", .payload = Payload::message}});
    std::vector<std::pair<MessageAction, std::string>> first_heard;
    const auto heard = [](Subject& subject) {
        std::vector<std::pair<MessageAction, std::string>> all;
        for (const auto& each : subject.messages()) all.emplace_back(each.action.value(), each.serial);
        return all;
    };
    const std::string one = "rpublic.note.i8000000000000001", two = "rpublic.note.i8000000000000002", three = "rpublic.note.i8000000000000003";
    using enum MessageAction;
    {
        Subject first{rows};
        wait_until_ready(first);
        client("UPDATE note SET body = 'x'");
        client("INSERT INTO note VALUES (2, 'two')");
        client("UPDATE note SET id = 3 WHERE id = 2");
        client("DELETE FROM note WHERE id = 1");
        ASSERT_TRUE(first.waits_for(4));
        first_heard = heard(first);
    }
    EXPECT_EQ(first_heard, (std::vector<std::pair<MessageAction, std::string>>{{update, one}, {create, two}, {remove, two}, {create, three}, {remove, one}}));
    Subject second{rows};
    ASSERT_TRUE(second.waits_until_caught_up());
    EXPECT_EQ(heard(second), first_heard);
}

// ---- palimpsest.publish()

TEST_F(FeedsTest, sql_publishes_in_its_place_among_the_changes_and_not_when_it_is_rolled_back) {
    Subject subject{config()};
    wait_until_ready(subject);
    client("BEGIN; INSERT INTO note VALUES (1, 'a'); SELECT palimpsest.publish('jobs', 'done', '{\"id\": 1}', '{\"headers\": {\"k\": \"v\"}}');"
           "INSERT INTO note VALUES (2, 'b'); COMMIT");
    client("BEGIN; SELECT palimpsest.publish('jobs', 'no', '1'); ROLLBACK");
    client("SELECT palimpsest.publish('jobs', NULL, '\"a text\"')");
    ASSERT_TRUE(subject.waits_for(4));
    EXPECT_EQ(heard(subject), (Texts{"app/notes " + note("INSERT", 1, "a"), R"(app/jobs {"id": 1})", "app/notes " + note("INSERT", 2, "b"),
                                     "app/jobs a text"}));
    std::vector<std::uint32_t> indexes;
    for (const auto& change : subject.changes()) indexes.push_back(change.place.index);
    EXPECT_EQ(indexes, (std::vector<std::uint32_t>{1, 2, 3, 1}));
    const auto message = subject.messages()[1];
    EXPECT_EQ(message.name, "done");
    EXPECT_EQ(message.encoding, "json");
    EXPECT_EQ(message.extras.text, R"({"headers": {"k": "v"}})");
    EXPECT_EQ(subject.messages()[3].encoding, "");
}

TEST_F(FeedsTest, sql_may_publish_who_was_granted_it_and_nobody_can_forge_it) {
    client("DROP ROLE IF EXISTS app_role");
    client("CREATE ROLE app_role");
    client("GRANT USAGE ON SCHEMA palimpsest TO app_role");
    Subject subject{config()};
    wait_until_ready(subject);
    client("SET ROLE app_role");
    EXPECT_EQ(client.sqlstate_of("SELECT palimpsest.publish('jobs', 'x', '1')"), "42501");
    EXPECT_EQ(client.sqlstate_of("SELECT * FROM palimpsest.publish_token"), "42501");
    client(R"(SELECT pg_logical_emit_message(true, 'palimpsest', '{"channel":"jobs","name":"forged"}'))");
    client("RESET ROLE");
    client("GRANT EXECUTE ON FUNCTION palimpsest.publish TO app_role");
    client("SET ROLE app_role");
    client("SELECT palimpsest.publish('jobs', 'x', '\"mine\"')");
    client("RESET ROLE");
    ASSERT_TRUE(subject.waits_for(1));
    EXPECT_EQ(subject.data(), (Texts{"mine"}));
    EXPECT_EQ(subject.status().refused, 1u);
    client("DROP OWNED BY app_role; DROP ROLE app_role");
}

TEST_F(FeedsTest, sql_is_told_at_once_of_what_cannot_be_published) {
    const auto invalid = "22023";
    for (const auto* arguments : {"'', 'x', '1'", "NULL, 'x', '1'", "'[meta]x', 'x', '1'", "':x', 'x', '1'", "E'a\\nb', 'x', '1'",
                                  "repeat('x', 2049), 'x', '1'", "'x', 'x', '1', '[1]'"}) {
        EXPECT_EQ(client.sqlstate_of(fmt::format("SELECT palimpsest.publish({})", arguments)), invalid) << arguments;
    }
}

TEST_F(FeedsTest, sql_has_no_size_cliff) {
    Subject subject{config()};
    wait_until_ready(subject);
    client("SELECT palimpsest.publish('jobs', 'large', to_jsonb(repeat('x', 60000)))");
    ASSERT_TRUE(subject.waits_for(1));
    EXPECT_EQ(subject.data(), (Texts{std::string(60'000, 'x')}));
}

// ---- other feeds in a running connector

TEST_F(FeedsTest, other_feeds_take_the_place_of_those_that_were_without_losing_or_doubling_anything) {
    Subject subject{config()};
    ASSERT_TRUE(subject.waits_until_caught_up());
    std::atomic<bool> writing = true;
    std::thread writer{[&] {
        Client own{conninfo};
        for (int i = 1; i <= 200; ++i) own(fmt::format("INSERT INTO note VALUES ({0}, 'x'); INSERT INTO post VALUES ({0}, 'r')", i));
        writing = false;
    }};
    ASSERT_TRUE(subject.waits_for(20));
    subject.reconfigure({{.table = "note", .channel = "notes"}, {.table = "post", .channel = "room:{room}", .columns = {"id"}}});
    writer.join();
    int next = 1000;
    ASSERT_TRUE(eventually([&] {
        client(fmt::format("INSERT INTO post VALUES ({}, 'r')", ++next));
        return subject.data().back().contains("post");
    })) << subject.data().size() << " changes, the last " << subject.data().back() << "; " << subject.reason();
    std::map<std::string, Texts> by_channel;
    std::map<std::string, WalPlace> tails;  // a broker takes each place once
    for (const auto& [address, place, data] : subject.changes()) {
        if (place <= tails[address]) continue;
        tails[address] = place;
        by_channel[address].push_back(data);
    }
    Texts expected;
    for (int i = 1; i <= 200; ++i) expected.push_back(note("INSERT", i, "x"));
    EXPECT_EQ(by_channel["app/notes"], expected);
    EXPECT_TRUE(by_channel["app/room:r"].back().starts_with(R"({"table":"post","type":"INSERT","row":{"id":)"));
    EXPECT_TRUE(subject.starts_under().contains("app/room:"));
}

// ---- what feeding must not do to the application, and what becomes of feeds when their tables change

namespace {

class IdentityTest : public FeedsTest {
protected:
    /// The application's own writes of the table.
    void writes_go_on(const std::string& table) {
        for (const auto* statement : {"UPDATE {} SET n = n", "DELETE FROM {}"}) {
            EXPECT_EQ(client.sqlstate_of(fmt::format(fmt::runtime(statement), table)), "00000") << statement << " " << table;
        }
    }
    Table relations() {
        return client("SELECT prrelid::regclass FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid "
                      "WHERE pubname = 'palimpsest' ORDER BY 1");
    }
};

}  // namespace

TEST_F(IdentityTest, a_deferrable_key_is_refused_and_the_tables_writes_go_on) {
    client("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE, n text); INSERT INTO t VALUES (1, 'x')");
    Subject subject{feeds({{.table = "t", .channel = "t"}})};
    ASSERT_TRUE(subject.waits_for_reason("deferrable")) << subject.reason();
    writes_go_on("t");
    ASSERT_TRUE(subject.waits_for_reason(R"(ALTER TABLE "public"."t" REPLICA IDENTITY FULL;)"));
    client(R"(ALTER TABLE "public"."t" REPLICA IDENTITY FULL)");
    wait_until_ready(subject);
    client("INSERT INTO t VALUES (2, 'y')");
    writes_go_on("t");
    ASSERT_TRUE(subject.waits_for(3));
}

TEST_F(IdentityTest, tables_that_inherit_are_left_alone_at_every_start_and_later) {
    client("CREATE TABLE payment (id int PRIMARY KEY, n text); CREATE TABLE bare () INHERITS (payment); INSERT INTO bare VALUES (1, 'x');"
           "CREATE TABLE card_payment (PRIMARY KEY (id)) INHERITS (payment)");
    const auto payments = feeds({{.table = "payment", .channel = "payments"}});
    for (int start = 0; start < 2; ++start) {
        Subject subject{payments};
        wait_until_ready(subject);
        EXPECT_EQ(relations(), (Table{{"payment"}}));
        client("CREATE TABLE later" + std::to_string(start) + " () INHERITS (payment)");
        writes_go_on("payment");
        client(fmt::format("INSERT INTO bare VALUES (1, 'x'); INSERT INTO payment VALUES ({}, 'y')", start));
        ASSERT_TRUE(subject.waits_for(1));
        writes_go_on("bare");
    }
    // One that somebody made without ONLY, as we did before.
    client("ALTER PUBLICATION palimpsest SET TABLE payment");
    ASSERT_GT(relations().size(), 2u);
    Subject subject{payments};
    wait_until_ready(subject);
    EXPECT_EQ(relations(), (Table{{"payment"}}));
    writes_go_on("bare");
}

TEST_F(IdentityTest, each_partition_is_asked_for_its_own_identity_also_one_that_is_added_while_it_runs) {
    client("CREATE TABLE r (id int, n text, room text) PARTITION BY LIST (id); CREATE TABLE r1 PARTITION OF r FOR VALUES IN (1);"
           "CREATE TABLE r2 PARTITION OF r FOR VALUES IN (2); ALTER TABLE r REPLICA IDENTITY FULL; INSERT INTO r VALUES (1, 'x', 'a')");
    Subject subject{feeds({{.table = "r", .channel = "room:{room}"}})};
    for (const auto* partition : {"r1", "r2"}) {
        const auto sql = fmt::format(R"(ALTER TABLE "public"."{}" REPLICA IDENTITY FULL;)", partition);
        ASSERT_TRUE(subject.waits_for_reason(sql)) << subject.reason();
        EXPECT_EQ(client.sqlstate_of("UPDATE r SET n = 'y'"), "00000");
        client(sql);
    }
    wait_until_ready(subject);
    client("INSERT INTO r VALUES (2, 'x', 'a'); UPDATE r SET room = 'b' WHERE id = 2; DELETE FROM r WHERE id = 2");
    ASSERT_TRUE(subject.waits_for(4));
    Texts addresses;
    for (const auto& change : subject.changes()) addresses.push_back(change.address);
    EXPECT_EQ(addresses, (Texts{"app/room:a", "app/room:a", "app/room:b", "app/room:b"})) << "inserted, left, entered, deleted";

    client("CREATE TABLE r3 PARTITION OF r FOR VALUES IN (3); INSERT INTO r VALUES (3, 'x', 'a')");
    ASSERT_TRUE(subject.waits_for_reason(R"(ALTER TABLE "public"."r3" REPLICA IDENTITY FULL;)")) << subject.reason();
    EXPECT_TRUE(eventually([&] { return relations().empty(); })) << "or the application's writes would fail";
    writes_go_on("r");
    client("ALTER TABLE r3 REPLICA IDENTITY FULL");
    wait_until_ready(subject);
    EXPECT_TRUE(eventually([&] { return subject.gaps().contains("app/room:"); })) << "what was written meanwhile is missing";
    client("INSERT INTO r VALUES (3, 'heard', 'c')");
    EXPECT_TRUE(eventually([&] { return !subject.changes().empty() && subject.changes().back().address == "app/room:c"; }));
}

TEST_F(IdentityTest, a_filter_or_column_list_that_makes_writes_fail_is_replaced) {
    client("CREATE TABLE t (id int PRIMARY KEY, n text); INSERT INTO t VALUES (1, 'x');"
           "CREATE PUBLICATION palimpsest FOR TABLE t WHERE (n <> 'y') WITH (publish_via_partition_root)");
    EXPECT_NE(client.sqlstate_of("UPDATE t SET n = n"), "00000");
    Subject subject{feeds({{.table = "t", .channel = "t", .columns = {"n"}}})};
    wait_until_ready(subject);
    EXPECT_EQ(client.sqlstate_of("UPDATE t SET n = n"), "00000");
    client("ALTER TABLE t REPLICA IDENTITY FULL");  // the list does not go with it
    EXPECT_TRUE(eventually([&] { return client.sqlstate_of("UPDATE t SET n = n") == "00000"; }));
    wait_until_ready(subject);
    writes_go_on("t");
}

TEST_F(IdentityTest, a_publication_that_does_not_become_what_is_wanted_is_left_alone_and_said) {
    client("CREATE PUBLICATION palimpsest FOR ALL TABLES");
    Subject subject{config()};
    ASSERT_TRUE(subject.waits_for_reason("DROP PUBLICATION")) << subject.reason();
    client("DROP PUBLICATION palimpsest");
    wait_until_ready(subject);
}

TEST_F(IdentityTest, why_postgres_refuses_a_publication_is_told_with_its_detail) {
    client("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (id int PRIMARY KEY, m mood); ALTER TABLE t REPLICA IDENTITY FULL");
    Subject subject{feeds({{.table = "t", .channel = "t", .where = "m = 'sad'"}})};
    ASSERT_TRUE(subject.waits_for_reason("detail: User-defined types are not allowed")) << subject.reason();
    client("CREATE UNLOGGED TABLE u (id int PRIMARY KEY)");
    subject.reconfigure({{.table = "u", .channel = "u"}});
    ASSERT_TRUE(subject.waits_for_reason(R"(ALTER TABLE "public"."u" SET LOGGED;)")) << subject.reason();
}

namespace {

/// One way of giving the table's name to another relation, or to none for a while.
struct Parting {
    std::string name, sql, back;  // `back`: what has it fed again, where it is away
};
class PartedTest : public FeedsTest, public ::testing::WithParamInterface<Parting> {};

}  // namespace

TEST_P(PartedTest, a_table_that_is_another_or_away_is_noticed_fed_again_and_its_channel_told_of_the_gap) {
    const auto& [name, sql, back] = GetParam();
    Subject subject{feeds({{.table = "note", .channel = "notes"}, {.table = "post", .channel = "room:{room}"}})};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (1, 'before')");
    ASSERT_TRUE(subject.waits_for(1));
    const auto before = subject.changes().back().place;
    client(sql);
    if (!back.empty()) {
        ASSERT_TRUE(subject.waits_for_reason(R"(there is no table "public"."note")")) << subject.reason();
        client(back);
    }
    ASSERT_TRUE(eventually([&] { return subject.gaps().contains("app/notes"); })) << subject.reason();
    EXPECT_GT(subject.gaps().at("app/notes"), before);
    const bool all_missed = name.starts_with("publication");
    if (all_missed) ASSERT_TRUE(eventually([&] { return subject.gaps().contains("app/room:"); })) << "it comes behind the other";
    client("INSERT INTO note VALUES (2, 'after')");
    ASSERT_TRUE(eventually([&] { return subject.data().back() == note("INSERT", 2, "after"); })) << subject.data().back();
    EXPECT_GT(subject.changes().back().place, subject.gaps().at("app/notes"));
    EXPECT_EQ(subject.status().gaps, all_missed ? 2u : 1u);
    EXPECT_EQ(subject.gaps().contains("app/room:"), all_missed);
    // A process that comes later knows of it too: nobody goes on from before the gap.
    subject.end();
    Subject second{feeds({{.table = "note", .channel = "notes"}, {.table = "post", .channel = "room:{room}"}})};
    ASSERT_TRUE(second.waits_until_caught_up());
    EXPECT_GE(second.starts().at("app/notes"), before);
    wait_until_ready(second);
    EXPECT_TRUE(second.gaps().empty()) << "the same gap twice";
}

INSTANTIATE_TEST_SUITE_P(
    By, PartedTest,
    ::testing::Values(
        Parting{"drop_and_create", "DROP TABLE note; CREATE TABLE note (id int PRIMARY KEY, body text)", ""},
        Parting{"swap",
                "CREATE TABLE note_new (LIKE note INCLUDING ALL); ALTER TABLE note RENAME TO note_old; ALTER TABLE note_new RENAME TO note", ""},
        Parting{"rename_and_back", "ALTER TABLE note RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO note"},
        Parting{"set_schema_and_back", "CREATE SCHEMA s; ALTER TABLE note SET SCHEMA s", "ALTER TABLE s.note SET SCHEMA public"},
        Parting{"drop_and_later_create", "DROP TABLE note", "CREATE TABLE note (id int PRIMARY KEY, body text)"},
        Parting{"membership", "ALTER PUBLICATION palimpsest DROP TABLE note; SELECT pg_sleep(0)", ""},
        Parting{"publication_away", "DROP PUBLICATION palimpsest", ""},
        Parting{"publication",
                "DROP PUBLICATION palimpsest; CREATE PUBLICATION palimpsest FOR TABLE note, post WITH (publish_via_partition_root)", ""}),
    [](const auto& info) { return info.param.name; });

TEST_F(IdentityTest, a_table_that_was_made_anew_while_nobody_read_is_a_gap_at_the_next_start) {
    {
        Subject first{config()};
        wait_until_ready(first);
        client("INSERT INTO note VALUES (1, 'x')");
        ASSERT_TRUE(first.waits_for(1));
        EXPECT_TRUE(first.gaps().empty());
    }
    {
        Subject second{config()};
        wait_until_ready(second);
        ASSERT_TRUE(second.waits_until_caught_up());
        EXPECT_TRUE(second.gaps().empty());
    }
    client("DROP TABLE note; CREATE TABLE note (id int PRIMARY KEY, body text); INSERT INTO note VALUES (1, 'unheard')");
    Subject third{config()};
    ASSERT_TRUE(eventually([&] { return third.gaps().contains("app/notes"); })) << third.reason();
}
