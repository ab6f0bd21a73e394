#include "archive/archive_rows.hpp"

#include <gtest/gtest.h>

namespace archive {
namespace {

using protocol::Action;
using protocol::Message;
using protocol::MessageAction;

const broker::Position place{.epoch = 0x1000, .count = 7};

broker::EntryPtr entry(protocol::ProtocolMessage message) {
    auto made = std::make_shared<broker::Entry>();
    made->position = place;
    made->message = std::move(message);
    return made;
}

TEST(ArchiveRows, a_message_is_kept_as_clients_get_it) {
    Rows rows;
    rows.add("app/log", {.entry = entry({.action = Action::message, .timestamp = 5, .connection_id = "c",
                                         .messages = {{.id = "i", .data = protocol::Binary{"\xff"}, .serial = "s:000"}}})});
    EXPECT_EQ(rows.messages_json(),
              R"([{"address":"app/log","kind":15,"serial":"s:000","sent_at":5,)"
              R"("body":{"id":"i","connectionId":"c","encoding":"base64","data":"/w==","timestamp":5,"action":0,"serial":"s:000"}}])");
    EXPECT_EQ(rows.events_json(), "[]");
}

TEST(ArchiveRows, a_body_reads_as_what_was_written) {
    const Message message{.id = "i", .connection_id = "c", .data = protocol::Binary{"\xff"}, .extras = {R"({"a":1})"}, .timestamp = 5,
                          .action = MessageAction::create, .serial = "s:000"};
    Rows rows;
    rows.add("a", {.entry = entry({.action = Action::message, .messages = {message}})});
    const auto json = rows.messages_json();
    const auto body = json.substr(json.find(R"("body":)") + 7);
    EXPECT_EQ(message_of(body.substr(0, body.size() - 2)), message);
    EXPECT_EQ(message_of("[]").error().code, base::ErrorCode::internal_error);
    EXPECT_FALSE(presence_of("{"));
}

TEST(ArchiveRows, a_change_takes_the_messages_place_and_keeps_what_was) {
    Message before{.id = "i", .data = "one", .timestamp = 5, .serial = "s:000"};
    auto latest = before;
    latest.data = "two";
    latest.action = MessageAction::update;
    latest.version = protocol::MessageVersion{.serial = "t:000"};
    Rows rows;
    rows.add("a", {.entry = entry({.action = Action::message, .messages = {before}})});
    rows.add("a", {.entry = entry({.action = Action::message, .messages = {latest}}), .latest = latest, .before = before});
    EXPECT_EQ(rows.size(), 3u);  // the message, once, and two versions
    EXPECT_NE(rows.messages_json().find(R"("data":"two")"), std::string::npos);
    EXPECT_EQ(rows.messages_json().find(R"("data":"one")"), std::string::npos);
    EXPECT_NE(rows.events_json().find(R"("kind":15,"serial":"s:000","body":{"id":"i","data":"one")"), std::string::npos);
    EXPECT_NE(rows.events_json().find(R"("kind":15,"serial":"t:000","body":{"id":"i","data":"two")"), std::string::npos);
}

TEST(ArchiveRows, an_annotation_is_kept_beside_the_message_and_summed_up_in_it) {
    const Message latest{.timestamp = 5, .serial = "s:000", .annotations = {R"({"summary":{}})"}};
    Rows rows;
    rows.add("a", {.entry = entry({.action = Action::annotation,
                                   .annotations = {{.serial = "t:000", .message_serial = "s:000", .type = "x:total.v1"}}}),
                   .latest = latest});
    EXPECT_EQ(
        rows.events_json(),
        R"([{"address":"a","message":"s:000","kind":21,"serial":"t:000",)"
        R"("body":{"action":0,"serial":"t:000","messageSerial":"s:000","type":"x:total.v1"}}])");
    EXPECT_NE(rows.messages_json().find(R"("annotations":{"summary":{}})"), std::string::npos);
}

TEST(ArchiveRows, presence_is_known_by_its_place) {
    Rows rows;
    rows.add("a", {.entry = entry({.action = Action::presence, .timestamp = 5, .presence = {{.client_id = "x"}, {.client_id = "y"}}})});
    EXPECT_NE(rows.messages_json().find(R"("kind":14,"serial":"m00000001000-0000000007:001","sent_at":5,"body":{"clientId":"y")"),
              std::string::npos);
}

TEST(ArchiveRows, RSL2b_a_query_is_a_range_of_serials) {
    const broker::Cursor cursor{place, 3};
    EXPECT_EQ(range_of({.after = cursor}).below, to_serial(cursor));
    EXPECT_EQ(range_of({.after = cursor, .direction = broker::Direction::forwards}).above, to_serial(cursor));
    const auto until = range_of({.until = place}).below;
    EXPECT_GT(until, to_serial(broker::Cursor{place, 999}));
    EXPECT_LT(until, to_serial(broker::Cursor{{.epoch = 0x1000, .count = 8}, 0}));
    EXPECT_EQ(range_of({.until = place, .after = cursor}).below, to_serial(cursor));
}

}  // namespace
}  // namespace archive
