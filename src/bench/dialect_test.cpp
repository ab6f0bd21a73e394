#include "bench/dialect.hpp"

#include <gtest/gtest.h>

#include "protocol/codec.hpp"

namespace bench {
namespace {

using Kind = Heard::Kind;
using protocol::Action;
using protocol::Format;

const Party subscriber{.role = Role::subscriber, .channel = "room"}, publisher{.role = Role::publisher};

/// The payload of a client's one frame.
std::string payload_of(std::string frame) {
    frame[1] = static_cast<char>(frame[1] & 0x7f);
    const std::size_t header = (frame[1] & 0x7f) == 126 ? 4 : 2;
    frame.erase(header, 4);  // the mask, which is zero
    std::string_view left = frame;
    const auto taken = take_frame(left);
    EXPECT_TRUE(taken && left.empty());
    return std::string{taken->payload};
}

class AblyDialect : public testing::TestWithParam<Format> {
protected:
    std::string said(const protocol::ProtocolMessage& message) const { return protocol::encode(GetParam(), message); }
    protocol::ProtocolMessage decoded(const std::string& frame) const {
        return protocol::decode(GetParam(), payload_of(frame)).value();
    }
    std::unique_ptr<Dialect> dialect = make_ably(GetParam() == Format::msgpack, "app.key:secret");
};

TEST_P(AblyDialect, a_subscriber_attaches_and_is_ready_when_it_is_attached) {
    EXPECT_EQ(dialect->path(subscriber).substr(0, 25), "/?key=app.key%3Asecret&fo");
    const auto connected = dialect->hear(subscriber, said({.action = Action::connected, .connection_id = "c"}));
    EXPECT_EQ(decoded(connected.reply), (protocol::ProtocolMessage{.action = Action::attach, .channel = "room"}));
    EXPECT_EQ(connected.kind, Kind::other);
    EXPECT_EQ(dialect->hear(subscriber, said({.action = Action::attached, .channel = "room"})).kind, Kind::ready);
    EXPECT_EQ(dialect->hear(publisher, said({.action = Action::connected})).kind, Kind::ready);
}

TEST_P(AblyDialect, publishes_what_the_codec_would_write) {
    for (const std::size_t size : {33u, 128u, 4'000u}) {
        std::string frame;
        const std::string payload(size, 'x');
        dialect->publish(frame, "room", 70'000, payload);
        protocol::ProtocolMessage message{.action = Action::message, .msg_serial = 70'000, .channel = "room"};
        message.messages.push_back({.data = payload});
        EXPECT_EQ(decoded(frame), message);
    }
}

TEST_P(AblyDialect, hears_acknowledgements_and_refusals) {
    protocol::ProtocolMessage ack{.action = Action::ack, .count = 3, .msg_serial = 7};
    ack.res = {{{"a"}}, {{"b"}}, {{"c"}}};
    const auto acknowledged = dialect->hear(publisher, said(ack));
    EXPECT_EQ(acknowledged.kind, Kind::acknowledged);
    EXPECT_EQ(acknowledged.count, 3u);
    const auto refused =
        dialect->hear(publisher, said({.action = Action::nack, .count = 2, .error = protocol::ErrorInfo{.message = "no"}}));
    EXPECT_EQ(refused.kind, Kind::refused);
    EXPECT_EQ(refused.count, 2u);
    EXPECT_EQ(refused.reason, "no");
    EXPECT_EQ(dialect->hear(publisher, "not a protocol message").kind, Kind::refused);
}

TEST_P(AblyDialect, says_goodbye) { EXPECT_EQ(decoded(dialect->farewell()).action, Action::close); }

INSTANTIATE_TEST_SUITE_P(Formats, AblyDialect, testing::Values(Format::json, Format::msgpack),
                         [](const auto& each) { return each.param == Format::json ? "json" : "msgpack"; });

TEST(PeerDialects, each_comes_to_be_ready) {
    EXPECT_EQ(make_dialect("nats", "")->hear(subscriber, "PONG\r\n").kind, Kind::ready);
    EXPECT_EQ(payload_of(make_dialect("nats", "")->hear(subscriber, "PING\r\n").reply), "PONG\r\n");
    EXPECT_EQ(make_dialect("nats", "")->hear(subscriber, "-ERR 'no'\r\n").kind, Kind::refused);
    const auto heard = make_dialect("nats-ok", "")->hear(publisher, "+OK\r\n+OK\r\n");
    EXPECT_EQ(heard.kind, Kind::acknowledged);
    EXPECT_EQ(heard.count, 2u);
    EXPECT_TRUE(make_dialect("nchan", "")->ready_when_open(publisher));
    const auto socketio = make_dialect("socketio", "");
    EXPECT_EQ(payload_of(socketio->hear(subscriber, "0{\"sid\":\"x\"}").reply), "40");
    EXPECT_EQ(payload_of(socketio->hear(subscriber, "40{\"sid\":\"y\"}").reply), "42[\"join\",\"room\"]");
    EXPECT_EQ(socketio->hear(subscriber, "42[\"joined\"]").kind, Kind::ready);
    EXPECT_EQ(payload_of(socketio->hear(subscriber, "2").reply), "3");
    EXPECT_THROW(make_dialect("smoke", ""), std::runtime_error);
}

}  // namespace
}  // namespace bench
