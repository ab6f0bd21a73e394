#include "operations.hpp"

#include <deque>
#include <memory>

#include "base/assert.hpp"
#include "broker/memory_broker.hpp"
#include "net/http_parser.hpp"
#include "net/websocket_parser.hpp"
#include "postgres/pgoutput.hpp"
#include "protocol/codec.hpp"
#include "realtime/hub.hpp"
#include "server/outgoing_frames.hpp"

namespace micro {
namespace {

using protocol::Format;

protocol::ProtocolMessage publish_of(std::int64_t msg_serial, const std::string& channel) {
    protocol::ProtocolMessage message{.action = protocol::Action::message, .msg_serial = msg_serial, .channel = channel};
    message.messages.push_back({.name = "greeting", .data = std::string(128, 'x')});
    return message;
}

/// As a subscriber gets it.
protocol::ProtocolMessage delivery() {
    auto message = publish_of(0, "room");
    message.msg_serial.reset();
    message.id = "0123456789:0";
    message.connection_id = "0123456789";
    message.timestamp = 1'800'000'000'000;
    message.channel_serial = "0000000000000000-0000000000@19a8b7c6d5e-0000000001";
    message.messages.front().id = "0123456789:0:0";
    message.messages.front().serial = message.channel_serial + ":000";
    return message;
}

/// A subscriber's end but for the socket.
class Subscriber final : public realtime::Transport {
public:
    Subscriber(net::Blocks& blocks, server::OutgoingFrames& frames) : blocks_(blocks), frames_(frames) {}
    void answer(const protocol::FramePtr& frame) override { queue_.push(blocks_.of(frames_.for_one(frame)), false); }
    void send(const protocol::FramePtr& frame) override { queue_.push(frames_.of(frame), false); }
    void ping() override {}
    bool was_idle() override { return false; }
    bool was_heard() override { return true; }
    void set_reading(bool) override {}
    void finish() override {}
    void written() { queue_.written(queue_.bytes()); }

private:
    net::Blocks& blocks_;
    server::OutgoingFrames& frames_;
    net::WriteQueue queue_;
};

/// One shard with one app, without threads and sockets.
class Server final : public realtime::Mesh {
public:
    Server() {
        auth::App app{.id = "app"};
        PAL_ASSERT(app.add(auth::parse_key("app.key:secret").value()));
        PAL_ASSERT(apps_.add(std::move(app)));
    }
    std::size_t size() const override { return 1; }
    void post(std::size_t, realtime::HubTask task) override { tasks_.push_back(std::move(task)); }

    /// A client that is attached to the channel.
    std::pair<std::shared_ptr<Subscriber>, realtime::Connection*> connect(const std::string& channel, Format format) {
        auto subscriber = std::make_shared<Subscriber>(blocks_, frames_);
        realtime::Connection* made = nullptr;
        auto identity = auth::check_key(apps_, "app.key:secret").value();
        realtime::Hub::ConnectRequest request{.identity = std::move(identity), .options = {}, .resume_key = {}};
        request.options.format = format;
        hub_.connect(std::move(request), subscriber, [&](base::Result<realtime::Connection*> connection) { made = connection.value(); });
        receive(*made, {.action = protocol::Action::attach, .channel = channel});
        subscribers_.push_back(subscriber);
        return {subscriber, made};
    }
    void receive(realtime::Connection& connection, protocol::ProtocolMessage message) {
        hub_.receive(connection, std::move(message));
        end_turn();
    }
    /// A row's, as the connector hands it in.
    void publish_change(const std::string& channel, std::uint64_t commit) {
        broker::Draft draft{.message = {.action = protocol::Action::message, .timestamp = 1'800'000'000'000, .channel = channel},
                            .place = broker::WalPlace{commit, 1}};
        const std::string row = R"({"table":"t","type":"INSERT","row":{"id":1,"name":"ann","body":"xxxxxx"}})";
        draft.message.messages.push_back({.id = to_id(*draft.place), .name = "change", .data = row});
        hub_.publish("app/" + channel, std::move(draft), {}, [](const auto& serials) { PAL_ASSERT(serials); });
        end_turn();
    }
    void end_turn() {
        while (!tasks_.empty()) {
            auto task = std::move(tasks_.front());
            tasks_.pop_front();
            task(hub_);
        }
    }
    void write_all() {
        for (const auto& each : subscribers_) each->written();
    }
    void close(realtime::Connection& connection) {
        receive(connection, {.action = protocol::Action::close});
        subscribers_.pop_back();
    }

private:
    auth::Apps apps_;
    realtime::ServerFacts facts_{.apps = apps_, .server_id = "server", .connection_secret = "secret", .epoch = 1};
    net::Blocks blocks_;
    server::OutgoingFrames frames_;
    std::deque<realtime::HubTask> tasks_;
    realtime::Hub hub_{0, *this, facts_, std::make_unique<broker::MemoryBroker>(1), nullptr};
    std::vector<std::shared_ptr<Subscriber>> subscribers_;
};

void codecs(std::vector<Operation>& all) {
    for (const auto format : {Format::json, Format::msgpack}) {
        const std::string name = format == Format::json ? "json" : "msgpack";
        const auto message = delivery();
        const auto publish = protocol::encode(format, publish_of(7, "room"));
        all.push_back({"encode a MESSAGE, " + name, 1, [=] { PAL_ASSERT(!protocol::encode(format, message).empty()); }});
        all.push_back({"decode a publish, " + name, 1, [=] { PAL_ASSERT(protocol::decode(format, publish)); }});
    }
}

void capabilities(std::vector<Operation>& all) {
    const auto text = R"({"chat:*":["publish","subscribe"],"news":["subscribe"],"private:*:inbox":["*"],"*":["history"]})";
    const auto capability = auth::Capability::parse(text).value();
    all.push_back({"match a capability", 1, [=] { PAL_ASSERT(capability.on("chat:room:7") != 0); }});
}

/// From the entry that a home has ordered to bytes in everybody's queue, all of which are written after some.
void fan_out(std::vector<Operation>& all) {
    constexpr std::size_t listeners = 1'000, messages = 10;
    struct Fan {
        net::Blocks blocks;  // of answers
        server::OutgoingFrames frames;
        std::deque<Subscriber> subscribers;
        std::deque<realtime::Audience::Seat> seats;
        realtime::Audience audience;
        std::string id = "0123456789";
        broker::EntryPtr entry;
    };
    auto fan = std::make_shared<Fan>();
    for (std::size_t i = 0; i < listeners; ++i) {
        fan->audience.add({.name = "room", .filter = nullptr}, Format::json,
                          {.transport = &fan->subscribers.emplace_back(fan->blocks, fan->frames),
                           .connection_id = &fan->id,
                           .modes = protocol::flag::default_modes,
                           .seat = &fan->seats.emplace_back()});
    }
    auto entry = std::make_shared<broker::Entry>();
    entry->message = delivery();
    fan->entry = entry;
    all.push_back({"deliver to a subscriber", listeners * messages, [=] {
                       for (std::size_t i = 0; i < messages; ++i) {
                           fan->audience.deliver(fan->entry, {protocol::make_frame(Format::json, fan->entry->message), nullptr}, "room");
                       }
                       for (auto& each : fan->subscribers) each.written();
                   }});
}

/// From a client's bytes to everybody's, and its ACK.
void publishes(std::vector<Operation>& all) {
    for (const auto format : {Format::json, Format::msgpack}) {
        auto server = std::make_shared<Server>();
        for (int i = 0; i < 10; ++i) server->connect("room", format);
        auto* publisher = server->connect("elsewhere", format).second;
        auto msg_serial = std::make_shared<std::int64_t>(0);
        const std::string name = format == Format::json ? "json" : "msgpack";
        all.push_back({"publish to 10 subscribers, " + name, 1, [=] {
                           const auto bytes = protocol::encode(format, publish_of((*msg_serial)++, "room"));
                           server->receive(*publisher, protocol::decode(format, bytes).value());
                           if (*msg_serial % 10 == 0) server->write_all();
                       }});
    }
    auto fed = std::make_shared<Server>();
    fed->connect("rows", Format::json);
    auto commit = std::make_shared<std::uint64_t>(0);
    all.push_back({"publish a change to a subscriber", 1, [=] {
                       fed->publish_change("rows", ++*commit);
                       if (*commit % 10 == 0) fed->write_all();
                   }});
    auto server = std::make_shared<Server>();
    server->connect("room", Format::json);
    all.push_back({"connect, attach and close", 1, [=] { server->close(*server->connect("room", Format::json).second); }});
}

void bytes_of_clients(std::vector<Operation>& all) {
    const std::string body = protocol::encode_message(Format::json, publish_of(0, "room").messages.front());
    const auto request = "POST /channels/room/messages HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Basic YXBwLmtleTpzZWNyZXQ=\r\n"
                         "Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                         "\r\n\r\n" + body;
    auto http = std::make_shared<net::HttpParser>(16'384, 1 << 20);
    all.push_back({"parse a REST publish", 1, [=] {
                       std::string_view bytes = request;
                       PAL_ASSERT(http->feed(bytes) == net::HttpParser::State::complete);
                       PAL_ASSERT(http->take().method == "POST");
                   }});
    auto frame = net::websocket_frame(net::Opcode::text, protocol::encode(Format::json, publish_of(7, "room")));
    frame[1] = static_cast<char>(frame[1] | 0x80);
    frame.insert(4, "\x12\x34\x56\x78");  // a mask, behind a length of two bytes
    auto websocket = std::make_shared<net::WebSocketParser>(1 << 20);
    all.push_back({"unmask a WebSocket frame", 1, [=]() mutable {
                       auto bytes = frame;
                       PAL_ASSERT(!websocket->feed(bytes, [](net::Opcode, std::string_view payload) { PAL_ASSERT(!payload.empty()); }));
                   }});
}

void changes(std::vector<Operation>& all) {
    using namespace std::string_literals;
    const auto column = [](std::string_view text) {
        const auto size = static_cast<char>(text.size());
        return "t\0\0\0"s + size + std::string{text};
    };
    const auto insert = "I\0\0\x40\x01N\0\x04"s + column("4711") + column("ann") + column(std::string(120, 'x')) +
                        column("2026-01-01 12:00:00+00");
    const auto decoder = std::make_shared<postgres::pgoutput::Decoder>();
    all.push_back({"decode an INSERT of the WAL", 1, [=] { PAL_ASSERT(decoder->decode(insert)); }});
}

}  // namespace

std::vector<Operation> operations() {
    std::vector<Operation> all;
    codecs(all);
    capabilities(all);
    fan_out(all);
    publishes(all);
    bytes_of_clients(all);
    changes(all);
    return all;
}

}  // namespace micro
