#pragma once

#include <gtest/gtest.h>

#include "auth/app.test.hpp"
#include "protocol/codec.hpp"
#include "realtime/connection.hpp"

/// One connection alone: messages and answers in, frames and requests out.
namespace realtime {

inline const Time start = base::from_ms(1'800'000'000'000);

struct SilentTransport final : Transport {
    void send(const protocol::FramePtr&) override {}
    void ping() override { ++pings; }
    bool was_idle() override { return idle; }
    bool was_heard() override { return heard; }
    void set_reading(bool) override {}
    void finish() override {}
    int pings = 0;
    bool idle = true, heard = true;
};

inline auth::Capability capability(std::string_view json) { return auth::Capability::parse(json).value(); }

class ConnectionTest : public testing::Test {
protected:
    ConnectionTest() {
        identity = {.app = apps.find("app"), .key_name = "app.key", .client_id = "ann", .capability = auth::Capability::all()};
    }

    void connect() {
        connection.connected(transport, identity, options, std::nullopt, now, out);
        clear();
    }
    void receive(ProtocolMessage message) { connection.receive(std::move(message), now, out); }
    void clear() { out = {}; }
    /// As the hub does at the end of a turn.
    void acknowledge() {
        if (std::exchange(out.answered, false)) connection.acknowledge(out);
    }

    std::vector<ProtocolMessage> frames() {
        acknowledge();
        std::vector<ProtocolMessage> all;
        for (const auto& step : out.steps) {
            if (const auto* frame = std::get_if<ProtocolMessage>(&step)) all.push_back(*frame);
        }
        return all;
    }
    ProtocolMessage only_frame() {
        EXPECT_EQ(frames().size(), 1u);
        return frames().empty() ? ProtocolMessage{} : frames().front();
    }
    template <class T>
    std::vector<T> requests() const {
        std::vector<T> all;
        for (const auto& step : out.steps) {
            if (const auto* request = std::get_if<Request>(&step)) {
                if (const auto* wanted = std::get_if<T>(request)) all.push_back(*wanted);
            }
        }
        return all;
    }

    void attach(const std::string& channel, std::int64_t flags = 0) {
        receive({.action = Action::attach, .flags = flags, .channel = channel});
        const auto request = requests<AttachRequest>().back();
        connection.on_attached(request.name, request.number, Attached{}, out);
        clear();
    }
    void publish(std::int64_t msg_serial, protocol::Message message, const std::string& channel = "room") {
        receive({.action = Action::message, .msg_serial = msg_serial, .channel = channel, .messages = {std::move(message)}});
    }
    void enter(std::int64_t msg_serial, protocol::PresenceMessage member, const std::string& channel = "room") {
        receive({.action = Action::presence, .msg_serial = msg_serial, .channel = channel, .presence = {std::move(member)}});
    }
    ErrorCode refusal() {
        const auto frame = only_frame();
        return frame.error ? frame.error->code : ErrorCode{};
    }

    auth::test::OneApp apps;
    ServerFacts facts{.apps = apps, .server_id = "srv", .connection_secret = "s", .epoch = 7};
    auth::Identity identity;
    Connection::Options options;
    SilentTransport transport;
    Connection connection{facts, "conn"};
    Outbox out;
    Time now = start;
};

}  // namespace realtime
