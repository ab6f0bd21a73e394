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
