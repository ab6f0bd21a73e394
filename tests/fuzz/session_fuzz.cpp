#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "auth/apps.hpp"
#include "base/assert.hpp"
#include "broker/memory_broker.hpp"
#include "fuzz.hpp"
#include "protocol/codec.hpp"
#include "protocol/vcdiff_decoder.test.hpp"
#include "realtime/hub.hpp"

using namespace realtime;

namespace {

base::Time now;

/// A server with one shard and one app, without sockets.
class Server final : public Mesh {
public:
    Server() {
        now = base::from_ms(1'800'000'000'000);
        auth::App app{.id = "app", .limits = {.inbound_per_connection = 50}};
        app.default_namespace.mutable_messages = true;
        PAL_ASSERT(app.add(*auth::parse_key("app.key:secret")) && apps_.add(std::move(app)));
    }
    std::size_t size() const override { return 1; }
    void post(std::size_t, HubTask task) override { tasks_.push_back(std::move(task)); }
    void settle() {
        for (; !tasks_.empty(); tasks_.pop_front()) tasks_.front()(hub);
    }
    auth::Identity identity(std::string client_id) const {
        return {.app = apps_.find("app"),
                .key_name = "app.key",
                .client_id = std::move(client_id),
                .capability = *auth::Capability::parse(R"({"[*]*":["*"]})")};
    }

private:
    auth::Apps apps_;
    std::deque<HubTask> tasks_;
    ServerFacts facts_{.apps = apps_, .server_id = "srv", .connection_secret = "secret", .epoch = 1};

public:
    Hub hub{0, *this, facts_, std::make_unique<broker::MemoryBroker>(1), nullptr, [] { return now; }};
};

std::string bytes_of(const protocol::Data& data) {
    if (const auto* text = std::get_if<std::string>(&data)) return *text;
    const auto* binary = std::get_if<protocol::Binary>(&data);
    return binary ? binary->bytes : std::string{};
}

/// What the server may say to a client, whatever the client says.
class Client final : public Transport, public std::enable_shared_from_this<Client> {
public:
    Client(Server& server, std::string client_id, Connection::Options options)
        : server_(server), client_id_(std::move(client_id)), options_(options) {}

    void connect() {
        attached_.clear();
        server_.hub.connect({.identity = server_.identity(client_id_), .options = options_, .resume_key = key_}, shared_from_this(),
                            [this](base::Result<Connection*> connection) { connection_ = *connection; });
        server_.settle();
        PAL_ASSERT(connection_);
    }
    void drop() {
        if (auto* lost = std::exchange(connection_, nullptr)) server_.hub.transport_lost(*lost);
    }
    void say(std::string_view json) {
        if (!connection_) connect();
        auto message = protocol::decode(protocol::Format::json, json);
        if (message) server_.hub.receive(*connection_, *std::move(message));
        else server_.hub.refuse(*connection_, protocol::refused(protocol::Format::json, json, message.error()));
        server_.settle();
    }

    void send(const protocol::FramePtr& frame) override {
        const auto message = protocol::decode(options_.format, frame->payload());
        PAL_ASSERT(message);
        switch (message->action) {
            case Action::connected: key_ = message->connection_details->connection_key; break;
            case Action::attached: attached_.insert(message->channel); break;
            case Action::detached: attached_.erase(message->channel); break;
            case Action::error:
                if (!message->channel.empty()) attached_.erase(message->channel);
                break;
            case Action::message:
                PAL_ASSERT(attached_.contains(message->channel));
                for (const auto& each : message->messages) {
                    auto& last = last_[message->channel];
                    hear(last, each);
                    const bool on_a = message->channel == "a" || message->channel.ends_with("]a");
                    if (on_a && !each.serial.empty()) understand(each, last.payload);  // not how the channel is used
                }
                break;
            case Action::sync:
            case Action::presence:
            case Action::annotation: PAL_ASSERT(attached_.contains(message->channel)); break;
            default: break;
        }
    }
    void ping() override {}
    bool was_idle() override { return true; }
    bool was_heard() override { return true; }
    void set_reading(bool) override {}
    void finish() override { connection_ = nullptr; }

    std::set<std::string> heard;  // the payloads of messages on channel a, by whatever name
    std::set<std::string> known;  // what these are, or became by what was appended to them: a rewind tells that

private:
    void understand(const protocol::Message& message, const std::string& payload) {
        if (message.action == protocol::MessageAction::summary) return;
        heard.insert(payload);
        auto& whole = by_serial_[message.serial];
        if (message.action != protocol::MessageAction::append) whole.clear();
        known.insert(whole += payload);
    }
    struct Last {
        std::string id, payload;
    };
    /// As an SDK decodes it (RTL19, RTL20).
    void hear(Last& last, const protocol::Message& message) {
        auto payload = bytes_of(message.data);
        const auto extras = protocol::read_json(message.extras.text).value_or(protocol::JsonValue{});
        if (const auto* delta = extras.member("delta")) {
            PAL_ASSERT(message.encoding.ends_with("vcdiff"));
            PAL_ASSERT(*delta->member("from") == protocol::JsonValue{last.id});
            payload = protocol::test::vcdiff_decode(last.payload, payload);
        }
        last = {.id = message.id, .payload = std::move(payload)};
    }

    Server& server_;
    std::string client_id_;
    Connection::Options options_;
    Connection* connection_ = nullptr;
    std::string key_;
    std::set<std::string> attached_;
    std::map<std::string, Last> last_;  // by channel
    std::map<std::string, std::string> by_serial_;
};

}  // namespace

/// The input is what two clients do, a line each: '1' or '2' is who, then a frame in JSON, or nothing when its connection breaks. 't' is
/// a second that passes. Whatever they say, the server stays up, and says nothing that an SDK could not follow.
void fuzz_one(std::span<const std::byte> input) {
    constexpr int lines_max = 64;
    Server server;
    const auto watcher = std::make_shared<Client>(server, "watcher", Connection::Options{});
    watcher->say(R"({"action":10,"channel":"a"})");
    const auto ann = std::make_shared<Client>(server, "ann", Connection::Options{});
    const auto bob = std::make_shared<Client>(server, "bob", Connection::Options{.format = protocol::Format::msgpack, .echo = false});
    auto lines = text_of(input);
    for (int i = 0; i < lines_max && !lines.empty(); ++i) {
        const auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        if (line.starts_with('t')) {
            now += std::chrono::seconds{1};
            for (std::size_t tick = 0; tick < Hub::ticks_per_second; ++tick) server.hub.tick();
            server.settle();
        } else if (line.starts_with('1') || line.starts_with('2')) {
            auto& client = line.front() == '1' ? *ann : *bob;
            if (line.size() > 1) client.say(line.substr(1));
            else client.drop();
        }
    }
    for (const auto& each : {ann, bob}) {
        // Deltas and filters tell nothing that those without do not know.
        for (const auto& payload : each->heard) PAL_ASSERT(watcher->heard.contains(payload) || watcher->known.contains(payload));
        each->drop();
    }
    watcher->drop();
    server.settle();
}
