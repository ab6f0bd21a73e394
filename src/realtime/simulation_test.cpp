#include <algorithm>
#include <set>

#include "realtime/world.test.hpp"

/// Many clients over three shards, in orders that threads could produce, who publish, change what was published, come and go, lose
/// their transports and resume. A failing seed is printed and replays exactly.
namespace realtime {
namespace {

using namespace realtime::test;
using protocol::PresenceAction;

const std::vector<std::string> channels{"a", "b", "c"};
constexpr int clients_count = 6, steps_count = 400;

/// What a client has seen of one channel since it first attached, and what it should have.
struct Watch {
    std::string serial;                // the last channelSerial
    std::vector<std::string> seen;     // names of messages, in order: each has one of its own
    std::map<std::string, std::string> latest;  // by serial: the data that it was last said to have
    std::optional<std::size_t> since;  // how many messages the channel had had when it attached
    bool lost = false;                 // the server said so
};

class Simulation {
public:
    explicit Simulation(unsigned seed) : random_(seed), tracked_(clients_count) {
        for (std::size_t i = 0; i < tracked_.size(); ++i) connect(i);
    }

    void run() {
        for (int i = 0; i < steps_count; ++i) {
            act();
            for (auto turns = random_() % 4; turns > 0; --turns) world_.step(random_);
            for (auto& each : tracked_) read(each);
        }
        world_.settle();
        for (auto& each : tracked_) read(each);
        check_channels();
        check_presence();
    }

private:
    struct Tracked {
        std::shared_ptr<Client> client;
        std::size_t read = 0;  // frames looked at
        std::int64_t msg_serial = 0;
        std::string key;
        std::map<std::string, Watch> watches;
        std::vector<std::pair<std::string, protocol::Message>> unacknowledged;  // channel, message: sent again after a resume
        std::int64_t first_unacknowledged = 0;
        std::set<std::string> present;  // channels
    };

    std::string name(std::size_t i) const { return "client" + std::to_string(i); }

    void connect(std::size_t i) {
        auto& each = tracked_[i];
        each.client = Client::connect(world_, random_() % 3, name(i), each.key);
        each.read = 0;
        world_.settle();
        read(each);
        ASSERT_FALSE(each.client->of(Action::connected).at(0).error);
        for (auto& [channel, watch] : each.watches) each.client->attach(channel, watch.serial);
        for (std::size_t k = 0; k < each.unacknowledged.size(); ++k) {
            say(each, each.first_unacknowledged + static_cast<std::int64_t>(k), each.unacknowledged[k]);
        }
    }

    static void say(Tracked& each, std::int64_t msg_serial, const std::pair<std::string, protocol::Message>& publish) {
        each.client->say(
            {.action = Action::message, .msg_serial = msg_serial, .channel = publish.first, .messages = {publish.second}});
    }

    void publish(Tracked& each, const std::string& channel, protocol::Message message) {
        each.unacknowledged.emplace_back(channel, std::move(message));
        say(each, each.msg_serial++, each.unacknowledged.back());
    }

    void act() {
        const auto i = random_() % tracked_.size();
        auto& each = tracked_[i];
        const auto& channel = channels[random_() % channels.size()];
        switch (random_() % 10) {
            case 0:
            case 1:
                if (!each.watches.contains(channel)) {
                    each.watches[channel];
                    each.client->attach(channel);
                }
                return;
            case 2:
                if (each.client->connection && each.client->connection->attachment(channel) &&
                    each.client->connection->attachment(channel)->attached) {
                    const bool leave = each.present.contains(channel);
                    if (leave) each.present.erase(channel);
                    else each.present.insert(channel);
                    // A presence counts a msgSerial too; it is never sent again here, so only when nothing is in flight.
                    if (each.unacknowledged.empty()) {
                        each.client->present(each.msg_serial++, channel, leave ? PresenceAction::leave : PresenceAction::enter);
                        each.first_unacknowledged = each.msg_serial;
                        world_.settle();
                    } else if (leave) {
                        each.present.insert(channel);
                    } else {
                        each.present.erase(channel);
                    }
                }
                return;
            case 3:
                each.client->drop();
                return connect(i);
            case 4:
            case 5: {
                const auto watch = each.watches.find(channel);
                if (watch == each.watches.end() || watch->second.latest.empty()) return;
                const auto& latest = watch->second.latest;
                const auto changed = std::next(latest.begin(), static_cast<std::ptrdiff_t>(random_() % latest.size()));
                return publish(each, channel,
                               {.data = fmt::format("changed by {} at {}", name(i), each.msg_serial),
                                .action = protocol::MessageAction::update,
                                .serial = changed->first});
            }
            default: return publish(each, channel, {.name = fmt::format("{}:{}", name(i), each.msg_serial), .data = "new"});
        }
    }

    void read(Tracked& each) {
        for (; each.read < each.client->frames.size(); ++each.read) {
            const auto& frame = each.client->frames[each.read];
            if (frame.action == Action::connected) each.key = frame.connection_details->connection_key;
            if (frame.action == Action::ack) acknowledge(each, frame);
            ASSERT_NE(frame.action, Action::nack);
            if (frame.action == Action::attached) {
                auto& watch = each.watches[frame.channel];
                if (watch.serial.empty()) watch.since = std::nullopt;
                else if ((frame.flags & protocol::flag::resumed) == 0) watch.lost = true;
                watch.serial = frame.channel_serial;
            }
            if (frame.action == Action::message || frame.action == Action::presence) {
                auto& watch = each.watches[frame.channel];
                ASSERT_GT(frame.channel_serial, watch.serial) << "reordered or doubled";
                watch.serial = frame.channel_serial;
                for (const auto& message : frame.messages) {
                    if (!broker::is_change(message)) watch.seen.push_back(message.name);
                    watch.latest[message.serial] = std::get<std::string>(message.data);
                }
            }
        }
    }

    void acknowledge(Tracked& each, const ProtocolMessage& ack) {
        for (auto serial = *ack.msg_serial; serial < *ack.msg_serial + ack.count; ++serial) {
            if (each.unacknowledged.empty() || serial != each.first_unacknowledged) continue;
            if (const auto& name = each.unacknowledged.front().second.name; !name.empty()) acknowledged_.insert(name);
            each.unacknowledged.erase(each.unacknowledged.begin());
            ++each.first_unacknowledged;
        }
    }

    /// Every client saw a run of the channel's history that ends at its end, and knows each message as it is by now; and every
    /// acknowledged message is there, once.
    void check_channels() {
        std::multiset<std::string> published;
        for (const auto& channel : channels) {
            std::vector<std::string> history;
            std::map<std::string, std::string> latest;
            broker::HistoryQuery query{.direction = broker::Direction::forwards, .limit = 100'000};
            world_.hubs[0]->history("app/" + channel, query, [&](Result<broker::HistoryPage> page) {
                for (const auto& message : page->messages) {
                    history.push_back(message.name);
                    latest[message.serial] = std::get<std::string>(message.data);
                }
            });
            world_.settle();
            for (const auto& name : history) published.insert(name);
            for (const auto& each : tracked_) {
                const auto watch = each.watches.find(channel);
                if (watch == each.watches.end() || watch->second.serial.empty()) continue;
                const auto& seen = watch->second.seen;
                EXPECT_FALSE(watch->second.lost);
                ASSERT_LE(seen.size(), history.size());
                EXPECT_TRUE(std::equal(seen.rbegin(), seen.rend(), history.rbegin())) << "a gap on " << channel;
                for (const auto& [serial, data] : watch->second.latest) EXPECT_EQ(data, latest[serial]) << "a lost change of " << serial;
            }
        }
        for (const auto& name : published) EXPECT_EQ(published.count(name), 1u) << name;
        for (const auto& name : acknowledged_) EXPECT_EQ(published.count(name), 1u) << name << " was acknowledged and lost";
    }

    void check_presence() {
        for (const auto& channel : channels) {
            std::set<std::string> members, expected;
            world_.hubs[0]->presence("app/" + channel, [&](auto found) {
                for (const auto& each : *found) members.insert(each.client_id);
            });
            world_.settle();
            for (std::size_t i = 0; i < tracked_.size(); ++i) {
                if (tracked_[i].present.contains(channel)) expected.insert(name(i));
            }
            EXPECT_EQ(members, expected) << channel;
        }
    }

    std::mt19937 random_;
    World world_{3, 1'000};
    std::vector<Tracked> tracked_;
    std::set<std::string> acknowledged_;
};

/// 1,200 seeds, in parts that ctest can run beside each other; a quarter of them under a sanitizer, which takes its time.
class Simulations : public testing::TestWithParam<unsigned> {};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr unsigned seeds_per_part = 50;
#else
constexpr unsigned seeds_per_part = 200;
#endif
INSTANTIATE_TEST_SUITE_P(Part, Simulations, testing::Range(0u, 6u));

TEST_P(Simulations, D5_nothing_is_lost_doubled_or_reordered_whatever_order_the_shards_run_in) {
    for (unsigned seed = GetParam() * seeds_per_part + 1; seed <= (GetParam() + 1) * seeds_per_part; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Simulation{seed}.run();
        if (testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace realtime
