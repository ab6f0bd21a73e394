#include "server/event_text.hpp"

#include <gtest/gtest.h>

namespace server {
namespace {

using protocol::Action;
using protocol::Binary;
using protocol::Message;
using protocol::ProtocolMessage;
namespace flag = protocol::flag;

using Form = EventText::Form;
using Strings = std::vector<std::string>;

const std::string one = "m19ab2c3d4e5-0000000001", two = "m19ab2c3d4e5-0000000002";
const std::string wal = "w00000000000000ff-00000001+19ab2c3d4e5-0000000003";

ProtocolMessage attached(std::string channel, std::string serial, std::int64_t flags = 0) {
    return {.action = Action::attached, .flags = flags, .channel = std::move(channel), .channel_serial = std::move(serial)};
}

ProtocolMessage said(std::string channel, std::string serial, std::vector<Message> messages) {
    return {.action = Action::message, .timestamp = 5, .channel = std::move(channel), .channel_serial = std::move(serial),
            .connection_id = "conn", .messages = std::move(messages)};
}

TEST(EventText, a_message_is_an_event_with_the_position_after_it) {
    EventText text{{}, {"room"}, {}};
    EXPECT_EQ(text.of(attached("room", one)), "id: " + one + "\n\n");
    EXPECT_EQ(text.of(said("room", two, {{.id = "i", .name = "n", .data = "d\n"}})),
              "id: " + two + "\nevent: message\n"
              R"(data: {"id":"i","connectionId":"conn","name":"n","data":"d\n","timestamp":5,"channel":"room"})" "\n\n");
}

TEST(EventText, what_comes_in_one_frame_has_its_position_at_the_end) {
    EventText text{{.enveloped = false}, {"room"}, {}};
    text.of(attached("room", one));
    EXPECT_EQ(text.of(said("room", two, {{.data = "first"}, {.data = "second\nline\r\n"}, {.data = Binary{"\xff"}}})),
              "event: message\ndata: first\n\n"
              "event: message\ndata: second\ndata: line\ndata: \n\n"
              "id: " + two + "\nevent: message\ndata: /w==\n\n");
}

/// What the reader of an event stream gets as data (HTML, "Interpreting an event stream").
std::string read_back(std::string_view event) {
    std::vector<std::string> lines(1);
    for (std::size_t i = 0; i < event.size(); ++i) {
        if (event[i] == '\r' && i + 1 < event.size() && event[i + 1] == '\n') continue;
        if (event[i] == '\r' || event[i] == '\n')
            lines.emplace_back();
        else
            lines.back() += event[i];
    }
    std::string data;
    for (const auto& line : lines) {
        if (!line.starts_with("data:")) continue;
        auto value = line.substr(5);
        if (value.starts_with(' ')) value.erase(0, 1);
        data += value + '\n';
    }
    if (!data.empty()) data.pop_back();
    return data;
}

TEST(EventText, every_end_of_a_line_is_one_to_the_reader) {
    const std::vector<std::pair<std::string, std::string>> cases{{"a\rb", "a\nb"},
                                                                 {"a\r\rb", "a\n\nb"},
                                                                 {"a\r\nb", "a\nb"},
                                                                 {"a\nb", "a\nb"},
                                                                 {"a\n\rb", "a\n\nb"},
                                                                 {"a\r\r\nb", "a\n\nb"},
                                                                 {"\r", "\n"},
                                                                 {"a\r", "a\n"},
                                                                 {" a\r b", " a\n b"},
                                                                 {"data: x\rid: 7\revent: y", "data: x\nid: 7\nevent: y"},
                                                                 {"", ""},
                                                                 {"\t:", "\t:"}};
    for (const auto& [sent, got] : cases) {
        EventText text{{.enveloped = false}, {"room"}, {}};
        EXPECT_EQ(read_back(text.of(said("room", two, {{.data = sent}}))), got) << sent;
    }
}

TEST(EventText, lines_of_json_say_the_same) {
    EventText text{{.events = false}, {"room"}, {}};
    EXPECT_EQ(text.of(attached("room", one)), "");
    EXPECT_EQ(text.of(said("room", two, {{.name = "n", .timestamp = 7}})),
              "{\"id\":\"" + two + R"(","event":"message","data":{"connectionId":"conn","name":"n","timestamp":7,"channel":"room"}})" "\n");
    EventText bare{{.events = false, .enveloped = false}, {"room"}, {}};
    EXPECT_EQ(bare.of(said("room", two, {{.data = "\"quoted\""}})),
              "{\"id\":\"" + two + R"(","event":"message","data":"\"quoted\""})" "\n");
}

TEST(EventText, the_position_is_that_of_every_channel) {
    EventText text{{.enveloped = false}, {"a", "b"}, {}};
    EXPECT_EQ(text.of(attached("b", wal)), "");
    EXPECT_EQ(text.of(said("b", wal, {{.data = "early"}})), "event: message\ndata: early\n\n");
    EXPECT_EQ(text.of(attached("a", one)), "id: " + one + "," + wal + "\n\n");
    EXPECT_EQ(text.of(said("a", two, {{.data = "x"}})), "id: " + two + "," + wal + "\nevent: message\ndata: x\n\n");
}

TEST(EventText, a_position_is_read_as_it_was_written_or_not_at_all) {
    EXPECT_EQ(EventText::parse_position(one + "," + wal, 2), (Strings{one, wal}));
    EXPECT_EQ(EventText::parse_position("w00000000000000ff-00000001 19ab2c3d4e5-0000000003", 1), (Strings{wal}));
    for (const auto& refused : {one, one + "," + two + "," + wal, one + ",", std::string{","}, std::string{}, one + ",x"}) {
        EXPECT_EQ(EventText::parse_position(refused, 2), std::nullopt) << refused;
    }
}

TEST(EventText, what_is_missing_after_a_resume_is_told) {
    EventText resumed{{}, {"room"}, {one}};
    EXPECT_EQ(resumed.of(attached("room", two, flag::resumed)), "id: " + two + "\n\n");
    EventText lost{{}, {"room"}, {one}};
    const auto told = lost.of(attached("room", two));
    EXPECT_TRUE(told.starts_with("event: error\ndata: {\"code\":90005,\"statusCode\":400,")) << told;
    EXPECT_TRUE(told.ends_with("\n\nid: " + two + "\n\n")) << told;
}

TEST(EventText, presence_and_errors_are_events_of_their_own) {
    EventText text{{}, {"room"}, {}};
    ProtocolMessage presence{.action = Action::presence, .channel = "room", .channel_serial = one};
    presence.presence = {{.client_id = "ann", .action = protocol::PresenceAction::enter}};
    EXPECT_EQ(text.of(presence), "id: " + one + "\nevent: presence\n" R"(data: {"clientId":"ann","action":2,"channel":"room"})" "\n\n");
    EXPECT_EQ(text.of({.action = Action::disconnected, .error = protocol::Error{protocol::ErrorCode::token_expired, "Token expired"}}),
              "event: error\n"
              R"(data: {"code":40142,"statusCode":401,"message":"Token expired","href":"https://help.ably.io/error/40142"})" "\n\n");
}

TEST(EventText, silence_is_broken_in_the_way_that_was_asked_for) {
    const ProtocolMessage heartbeat{.action = Action::heartbeat};
    EXPECT_EQ((EventText{{}, {"c"}, {}}.of(heartbeat)), ":keepalive\n\n");
    EXPECT_EQ((EventText{{.events = false}, {"c"}, {}}.of(heartbeat)), "\n");
    EXPECT_EQ((EventText{{.heartbeats = true}, {"c"}, {}}.of(heartbeat)), "event: heartbeat\ndata:\n\n");
    EXPECT_EQ((EventText{{.events = false, .heartbeats = true}, {"c"}, {}}.of(heartbeat)), "{\"event\":\"heartbeat\"}\n");
}

TEST(EventText, other_frames_and_other_channels_say_nothing) {
    EventText text{{}, {"room"}, {}};
    EXPECT_EQ(text.of(said("other", one, {{.data = "d"}})), "");
    EXPECT_EQ(text.of({.action = Action::ack}), "");
    EXPECT_EQ(text.of({.action = Action::sync, .channel = "room", .presence = {{.client_id = "ann"}}}), "");
}

}  // namespace
}  // namespace server
