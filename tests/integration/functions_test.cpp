#include "functions/chat.hpp"
#include "functions/chat_queries.hpp"
#include "support.hpp"

using namespace integration;
using base::ErrorCode;
using functions::Event;
using functions::Outcome;

namespace {

std::string json(std::string_view text) {
    std::string out;
    for (const char each : text) {
        if (each == '"' || each == '\\') out += '\\';
        out += each;
    }
    return '"' + out + '"';
}

protocol::Message post(std::string id, std::string author, std::string_view content, std::string_view username = "Ada", std::string_view room = "main") {
    return {.id = std::move(id), .client_id = std::move(author), .name = "chatMsg",
            .data = "{\"username\":" + json(username) + ",\"content\":" + json(content) + ",\"room\":" + json(room) + "}", .timestamp = 1'700'000'000'123};
}
protocol::Message edit(std::string target, std::string author, std::string_view content) {
    return {.id = "e:" + target + ":" + std::string{content}, .client_id = std::move(author), .name = "editedMsg",
            .data = "{\"content\":" + json(content) + ",\"msgIdToEdit\":" + json(target) + "}", .timestamp = 1};
}
protocol::Message remove(std::string target, std::string author) {
    return {.id = "d:" + target, .client_id = std::move(author), .name = "deletedMsg", .data = "{\"msgIdToDelete\":" + json(target) + "}", .timestamp = 1};
}

}  // namespace

class ChatTest : public DatabaseTest {
protected:
    ChatTest() {
        shard.start();
        shard.call([&] { pool = std::make_unique<postgres::Pool>(shard.io(), conninfo); });
    }
    ~ChatTest() override {
        shard.call([&] { pool.reset(); });
    }
    Outcome handle(std::vector<protocol::Message> messages) {
        return wait_for<Outcome>(shard, [&](auto done) { functions::ChatFunction{*pool}.handle(Event{.messages = std::move(messages)}, std::move(done)); });
    }
    base::Result<std::string> list(const std::string& room, std::optional<std::int64_t> before, std::size_t limit) {
        return wait_for<base::Result<std::string>>(
            shard, [&](auto done) { functions::ChatQueries{*pool}.list(room, before, limit, std::move(done)); });
    }
    base::Result<functions::ChatQueries::Versions> versions(const std::string& msg_id) {
        return wait_for<base::Result<functions::ChatQueries::Versions>>(
            shard, [&](auto done) { functions::ChatQueries{*pool}.versions(msg_id, std::move(done)); });
    }
    net::Shard shard{"chat"};
    std::unique_ptr<postgres::Pool> pool;
};

TEST_F(ChatTest, writes_edits_and_deletes_what_is_published) {
    EXPECT_EQ(handle({post("m1", "ada", "helo"), post("m2", "bob", "hi", "Bob", "tea"), edit("m1", "ada", "hello")}), Outcome{});
    EXPECT_EQ(sql("SELECT msg_id, room, username, client_id, msg_data, is_edited, created_at_timestamp FROM chat_data ORDER BY id"),
              (Table{{"m1", "main", "Ada", "ada", "hello", "t", "1700000000123"}, {"m2", "tea", "Bob", "bob", "hi", "f", "1700000000123"}}));
    EXPECT_EQ(handle({remove("m2", "bob")}), Outcome{});
    EXPECT_EQ(sql("SELECT msg_id FROM chat_data"), (Table{{"m1"}}));
}

TEST_F(ChatTest, takes_sql_for_the_text_it_is) {
    const std::string awkward = "'); DROP TABLE chat_data; -- $1 \\' \" %s {}";
    EXPECT_EQ(handle({post("m'1\"", "a'da", awkward, awkward.substr(0, 40), "r'oom"), edit("m'1\"", "a'da", awkward + awkward)}), Outcome{});
    EXPECT_EQ(sql("SELECT msg_id, room, username, client_id, msg_data FROM chat_data"),
              (Table{{"m'1\"", "r'oom", awkward.substr(0, 40), "a'da", awkward + awkward}}));
}

TEST_F(ChatTest, lets_nobody_but_the_author_change_a_message) {
    handle({post("m1", "ada", "mine")});
    const auto outcome = handle({edit("m1", "bob", "yours"), remove("m1", "bob")});
    EXPECT_EQ(outcome, (Outcome{.refused = {{"e:m1:yours", "editedMsg", "bob", {ErrorCode::forbidden, "only its author may edit a message"}},
                                            {"d:m1", "deletedMsg", "bob", {ErrorCode::forbidden, "only its author may delete a message"}}}}));
    EXPECT_EQ(sql("SELECT msg_data FROM chat_data"), (Table{{"mine"}}));
}

TEST_F(ChatTest, carried_out_twice_is_carried_out_once) {
    const std::vector<protocol::Message> event{post("m1", "ada", "one"), edit("m1", "ada", "two")};
    EXPECT_EQ(handle(event), Outcome{});
    EXPECT_EQ(handle({edit("m1", "ada", "two")}), Outcome{});
    EXPECT_EQ(handle({post("m1", "ada", "one")}), Outcome{});
    EXPECT_EQ(sql("SELECT msg_data FROM chat_data"), (Table{{"two"}}));
    EXPECT_EQ(sql("SELECT count(*) FROM chat_data_versions"), (Table{{"1"}}));
    EXPECT_EQ(handle({edit("m1", "ada", "three")}), Outcome{});
    EXPECT_EQ(handle({edit("m1", "ada", "two")}), Outcome{}) << "sent again, behind a later one";
    EXPECT_EQ(sql("SELECT msg_data FROM chat_data"), (Table{{"three"}}));
    EXPECT_EQ(sql("SELECT count(*) FROM chat_data_versions"), (Table{{"2"}}));
    EXPECT_EQ(handle({remove("m1", "ada")}), Outcome{});
    EXPECT_EQ(handle({remove("m1", "ada")}), Outcome{}) << "it is gone, which is what was asked for";
}

TEST_F(ChatTest, refuses_one_message_and_goes_on_with_the_next) {
    handle({post("taken", "bob", "first")});
    sql("ALTER TABLE chat_data ADD CONSTRAINT civil CHECK (msg_data !~ 'rude')");
    auto nameless = post("m4", "", "hi");
    const auto outcome = handle({post("m1", "ada", "rude"), edit("nowhere", "ada", "x"), post("taken", "ada", "second"), nameless, post("m5", "ada", "fine")});
    ASSERT_EQ(outcome.refused.size(), 4u);
    EXPECT_EQ(outcome.refused[0], (functions::Refusal{"m1", "chatMsg", "ada", {ErrorCode::conflict, "the database refused this row"}}));
    EXPECT_EQ(outcome.refused[1], (functions::Refusal{"e:nowhere:x", "editedMsg", "ada", {ErrorCode::not_found, "there is no such message to edit"}}));
    EXPECT_EQ(outcome.refused[2], (functions::Refusal{"taken", "chatMsg", "ada", {ErrorCode::conflict, "this message id is taken"}}));
    EXPECT_EQ(outcome.refused[3].error.code, ErrorCode::identified_client_needed);
    EXPECT_EQ(outcome.failed, std::nullopt);
    EXPECT_EQ(sql("SELECT msg_id, msg_data FROM chat_data ORDER BY 1"), (Table{{"m5", "fine"}, {"taken", "first"}}));
}

TEST_F(ChatTest, fails_for_now_while_the_database_is_away) {
    handle({post("m1", "ada", "one")});
    cluster().stop();
    const auto away = handle({post("m2", "ada", "two")});
    ASSERT_TRUE(away.failed);
    EXPECT_EQ(away.failed->code, ErrorCode::unavailable);
    ASSERT_TRUE(cluster().restart());
    EXPECT_TRUE(eventually([&] { return handle({post("m2", "ada", "two")}) == Outcome{}; }));
    EXPECT_EQ(sql("SELECT msg_id FROM chat_data ORDER BY id"), (Table{{"m1"}, {"m2"}}));
}

TEST_F(ChatTest, lists_a_room_page_by_page_from_its_end) {
    std::vector<protocol::Message> messages;
    for (int i = 1; i <= 5; ++i) messages.push_back(post("m" + std::to_string(i), "ada", "text " + std::to_string(i)));
    messages.push_back(post("other", "ada", "elsewhere", "Ada", "tea"));
    handle(messages);
    const auto row = [](int id) {
        return R"({"id":)" + std::to_string(id) + R"(,"msg_id":"m)" + std::to_string(id) + R"(","room":"main","username":"Ada","client_id":"ada","msg_data":"text )" +
               std::to_string(id) + R"(","is_edited":false,"created_at_timestamp":1700000000123,"edited_at":null})";
    };
    const auto expect = [&](const base::Result<std::string>& page, const std::string& expected) {
        ASSERT_TRUE(page) << page.error().message;
        EXPECT_EQ(sql("SELECT '" + *page + "'::jsonb = '" + expected + "'::jsonb"), (Table{{"t"}})) << *page << "\nis not\n" << expected;
    };
    expect(list("main", std::nullopt, 2), R"({"messages":[)" + row(4) + "," + row(5) + R"(],"before":4})");
    expect(list("main", 4, 2), R"({"messages":[)" + row(2) + "," + row(3) + R"(],"before":2})");
    expect(list("main", 2, 2), R"({"messages":[)" + row(1) + R"(],"before":null})");
    expect(list("nowhere", std::nullopt, 50), R"({"messages":[],"before":null})");
    EXPECT_EQ(list("main", std::nullopt, 1'000'000), list("main", std::nullopt, 50)) << "a limit beyond the largest page is the largest page";
}

TEST_F(ChatTest, tells_what_a_message_said_before) {
    handle({post("m1", "ada", "one"), edit("m1", "ada", "two"), edit("m1", "ada", "three")});
    const auto found = versions("m1");
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->room, "main");
    const auto* text = &found->json;
    const auto rows = Client{conninfo}("SELECT e->>'version', e->>'msg_data', (e->>'timestamp')::bigint >= 1700000000123 FROM json_array_elements('" + *text +
                                       "'::json->'versions') e");
    EXPECT_EQ(rows, (Table{{"1", "one", "t"}, {"2", "two", "t"}, {"3", "three", "t"}}));
    EXPECT_EQ(Client{conninfo}("SELECT '" + *text + "'::json->>'msg_id', '" + *text + "'::json->'versions'->0->>'timestamp'"),
              (Table{{"m1", "1700000000123"}}));
    EXPECT_EQ(versions("nowhere").error().code, ErrorCode::not_found);
}
