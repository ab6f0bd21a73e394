#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "auth/app.test.hpp"
#include "broker/memory_broker.hpp"
#include "protocol/codec.hpp"
#include "realtime/hub.hpp"

/// A whole server without threads, sockets or time: shards whose posts wait in queues until the test lets them through, in
/// any order that threads could have.
namespace realtime::test {

inline Time clock_now = base::from_ms(1'800'000'000'000);
inline Time read_clock() { return clock_now; }

class World final : public Mesh {
public:
    World(std::size_t shards, std::uint64_t epoch, Tap* tap = nullptr) : queues_(shards) {
        EXPECT_TRUE(apps.add({.id = "other"}));
        facts.epoch = epoch;
        for (std::size_t i = 0; i < shards; ++i) {
            hubs.push_back(std::make_unique<Hub>(i, *this, facts, std::make_unique<broker::MemoryBroker>(epoch), tap, read_clock));
        }
    }

    std::size_t size() const override { return queues_.size(); }
    void post(std::size_t shard, HubTask task) override { queues_[shard].push_back(std::move(task)); }

    /// Lets one task through on a shard that has one; false when all is quiet.
    bool step(std::mt19937& random) {
        std::vector<std::size_t> busy;
        for (std::size_t i = 0; i < queues_.size(); ++i) {
            if (!queues_[i].empty()) busy.push_back(i);
        }
        if (busy.empty()) return false;
        run_one(busy[random() % busy.size()]);
        return true;
    }
    void settle() {
        for (bool busy = true; busy;) {
            busy = false;
            for (std::size_t i = 0; i < queues_.size(); ++i) {
                for (; !queues_[i].empty(); busy = true) run_one(i);
            }
        }
    }
    void tick_for(std::chrono::seconds time) {
        constexpr auto tick = std::chrono::milliseconds{1'000 / Hub::ticks_per_second};
        for (std::chrono::milliseconds left = time; left.count() > 0; left -= tick) {
            clock_now += tick;
            for (auto& hub : hubs) hub->tick();
            settle();
        }
    }

    auth::test::OneApp apps;
    ServerFacts facts{.apps = apps, .server_id = "srv", .connection_secret = "secret", .epoch = 0};
    std::vector<std::unique_ptr<Hub>> hubs;

private:
    void run_one(std::size_t shard) {
        auto task = std::move(queues_[shard].front());
        queues_[shard].pop_front();
        task(*hubs[shard]);
    }
    std::vector<std::deque<HubTask>> queues_;
};

/// A client and its transport.
class Client final : public Transport, public std::enable_shared_from_this<Client> {
public:
    static std::shared_ptr<Client> connect(World& world, std::size_t shard, std::string client_id, std::string resume_key = {},
                                           Connection::Options options = {}, const std::string& app_id = "app",
                                           const std::string& key_name = "app.key") {
        auto client = std::make_shared<Client>(world, shard, options.format);
        Hub::ConnectRequest request{.identity = {.app = world.apps.find(app_id),
                                                 .key_name = key_name,
                                                 .client_id = std::move(client_id),
                                                 .capability = auth::Capability::parse(R"({"[*]*":["*"]})").value()},
                                    .options = options,
                                    .resume_key = std::move(resume_key)};
        world.hubs[shard]->connect(std::move(request), client, [client](Result<Connection*> connection) {
            if (connection) client->connection = *connection;
            else client->refused = connection.error();
        });
        return client;
    }
    Client(World& world, std::size_t shard, protocol::Format format) : world_(world), shard_(shard), format_(format) {}

    void send(const protocol::FramePtr& frame) override {
        frames.push_back(protocol::decode(format_, frame->payload()).value());
    }
    void ping() override {}
    bool was_idle() override { return false; }
    bool was_heard() override { return true; }
    void set_reading(bool) override {}
    void finish() override { connection = nullptr; }
    std::size_t backlog() const override { return unread; }

    /// The client's side of the socket.
    void say(ProtocolMessage message) {
        if (connection) world_.hubs[shard_]->receive(*connection, std::move(message));
    }
    void drop() {
        if (auto* gone = std::exchange(connection, nullptr)) world_.hubs[shard_]->transport_lost(*gone);
    }
    void attach(const std::string& channel, std::string channel_serial = {}) {
        say({.action = Action::attach, .channel = channel, .channel_serial = std::move(channel_serial)});
    }
    void publish(std::int64_t msg_serial, const std::string& channel, std::string data) {
        say({.action = Action::message, .msg_serial = msg_serial, .channel = channel, .messages = {{.data = std::move(data)}}});
    }
    void present(std::int64_t msg_serial, const std::string& channel, protocol::PresenceAction action) {
        say({.action = Action::presence, .msg_serial = msg_serial, .channel = channel, .presence = {{.action = action}}});
    }

    std::vector<ProtocolMessage> of(Action action) const {
        std::vector<ProtocolMessage> all;
        for (const auto& frame : frames) {
            if (frame.action == action) all.push_back(frame);
        }
        return all;
    }
    std::vector<std::string> data() const {
        std::vector<std::string> all;
        for (const auto& frame : of(Action::message)) {
            for (const auto& message : frame.messages) all.push_back(std::get<std::string>(message.data));
        }
        return all;
    }
    /// "clientId action" of all presence heard.
    std::vector<std::string> presence() const {
        static const std::map<protocol::PresenceAction, std::string> names{{protocol::PresenceAction::absent, "absent"},
                                                                           {protocol::PresenceAction::present, "present"},
                                                                           {protocol::PresenceAction::enter, "enter"},
                                                                           {protocol::PresenceAction::leave, "leave"},
                                                                           {protocol::PresenceAction::update, "update"}};
        std::vector<std::string> all;
        for (const auto& frame : frames) {
            for (const auto& each : frame.presence) all.push_back(each.client_id + " " + names.at(each.action));
        }
        return all;
    }
    std::string key() const { return of(Action::connected).back().connection_details->connection_key; }
    std::string last_serial() const {  // RTL15b
        for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
            const bool counts = frame->action == Action::attached || frame->action == Action::message || frame->action == Action::presence;
            if (counts && !frame->channel_serial.empty()) return frame->channel_serial;
        }
        return {};
    }

    std::vector<ProtocolMessage> frames;
    Connection* connection = nullptr;
    std::optional<base::Error> refused;
    std::size_t unread = 0;

private:
    World& world_;
    std::size_t shard_;
    protocol::Format format_;
};

}  // namespace realtime::test
