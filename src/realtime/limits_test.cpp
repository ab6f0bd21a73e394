#include "realtime/world.test.hpp"

#include <fmt/format.h>

#include "base/resource_limits.hpp"

/// What an app may use, and what another one may all the same.
namespace realtime {
namespace {

using namespace realtime::test;
using namespace std::chrono_literals;
using protocol::PresenceAction;

class LimitsTest : public testing::TestWithParam<std::size_t> {
protected:
    void allow(auth::AppLimits limits) { ASSERT_TRUE(world.apps.add({.id = "small", .limits = limits})); }
    std::shared_ptr<Client> connect(std::string client_id, std::size_t shard = 0, std::string resume_key = {},
                                    const std::string& app_id = "small") {
        auto client = Client::connect(world, shard % world.size(), std::move(client_id), std::move(resume_key), {}, app_id);
        world.settle();
        return client;
    }
    ErrorCode refusal(const std::shared_ptr<Client>& client) { return client->refused.value_or(base::Error{}).code; }
    std::vector<ErrorCode> nacks(const std::shared_ptr<Client>& client) {
        std::vector<ErrorCode> codes;
        for (const auto& nack : client->of(Action::nack)) codes.push_back(nack.error->code);
        return codes;
    }
    std::int64_t acknowledged(const std::shared_ptr<Client>& client) {
        std::int64_t count = 0;
        for (const auto& ack : client->of(Action::ack)) count += ack.count;
        return count;
    }

    World world{GetParam(), 1'000};
};

TEST_P(LimitsTest, an_app_has_so_many_connections_at_a_time) {
    allow({.connections = 2});
    auto ann = connect("ann", 0), bob = connect("bob", 1), carl = connect("carl", 2);
    EXPECT_EQ(refusal(carl), ErrorCode::account_connection_limit_exceeded);
    EXPECT_NE(connect("dan", 0, {}, "other")->connection, nullptr);
    ann->say({.action = Action::close});
    world.settle();
    EXPECT_NE(connect("carl", 2)->connection, nullptr);
}

TEST_P(LimitsTest, a_connection_without_a_transport_takes_no_place_and_gets_one_when_it_resumes) {
    allow({.connections = 1});
    auto ann = connect("ann", 0);
    ann->drop();
    auto bob = connect("bob", 1);
    ASSERT_NE(bob->connection, nullptr);
    EXPECT_EQ(refusal(connect("ann", 2, ann->key())), ErrorCode::account_connection_limit_exceeded);
    bob->drop();
    const auto again = connect("ann", 2, ann->key());
    ASSERT_NE(again->connection, nullptr);
    EXPECT_EQ(again->of(Action::connected).at(0).connection_id, ann->of(Action::connected).at(0).connection_id);
}

TEST_P(LimitsTest, resuming_takes_over_the_place_of_a_transport_that_is_not_known_to_be_gone) {
    allow({.connections = 1});
    auto ann = connect("ann", 0);
    EXPECT_NE(connect("ann", 1, ann->key())->connection, nullptr);
}

TEST_P(LimitsTest, CD2_a_client_is_told_of_its_apps_limits) {
    allow({.message_bytes = 1'000, .inbound_per_connection = 50});
    const auto details = *connect("ann")->of(Action::connected).at(0).connection_details;
    EXPECT_EQ(details.max_message_size, 1'000);
    EXPECT_EQ(details.max_inbound_rate, 50);
}

TEST_P(LimitsTest, a_connection_attaches_to_so_many_channels) {
    allow({.channels_per_connection = 2});
    auto ann = connect("ann");
    for (const char* channel : {"a", "b", "b", "c"}) {
        ann->attach(channel);
        world.settle();
    }
    EXPECT_EQ(ann->of(Action::attached).size(), 3u);
    EXPECT_EQ(ann->of(Action::error).at(0).error->code, ErrorCode::channel_limit_exceeded);
    EXPECT_EQ(ann->of(Action::error).at(0).channel, "c");
}

TEST_P(LimitsTest, a_message_is_so_large) {
    allow({.message_bytes = 10});
    auto ann = connect("ann");
    ann->publish(0, "room", "1234567890");
    ann->publish(1, "room", "12345678901");
    world.settle();
    EXPECT_EQ(acknowledged(ann), 1);
    EXPECT_EQ(nacks(ann), std::vector{ErrorCode::message_too_large});
}

TEST_P(LimitsTest, a_connection_that_publishes_too_fast_is_told_so_and_goes_on) {
    allow({.inbound_per_connection = 2});
    auto ann = connect("ann"), bob = connect("bob", 1);
    ann->attach("room");
    world.settle();
    ann->present(0, "room", PresenceAction::enter);
    for (const int i : {1, 2, 3}) ann->publish(i, i == 1 ? "a" : "b", "x");
    bob->publish(0, "a", "x");
    world.settle();
    EXPECT_EQ(acknowledged(ann), 2);
    EXPECT_EQ(nacks(ann), (std::vector{ErrorCode::connection_rate_limit_exceeded, ErrorCode::connection_rate_limit_exceeded}));
    EXPECT_EQ(acknowledged(bob), 1);
    clock_now += 500ms;
    ann->publish(4, "a", "x");
    world.settle();
    EXPECT_EQ(acknowledged(ann), 3);
}

TEST_P(LimitsTest, a_channel_takes_so_much_from_all_its_publishers_together) {
    allow({.inbound_per_channel = 2});
    auto ann = connect("ann"), bob = connect("bob", 1), dan = connect("dan", 0, {}, "other");
    for (const int i : {0, 1}) {
        ann->publish(i, "room", "x");
        bob->publish(i, "room", "x");
        dan->publish(i, "room", "x");
    }
    ann->publish(2, "elsewhere", "x");
    world.settle();
    EXPECT_EQ(acknowledged(ann) + acknowledged(bob), 3);
    EXPECT_EQ(nacks(ann).size() + nacks(bob).size(), 2u);
    EXPECT_EQ((nacks(ann).empty() ? nacks(bob) : nacks(ann)).at(0), ErrorCode::rate_limit_exceeded);
    EXPECT_EQ(acknowledged(dan), 2);
    world.tick_for(1s);
    bob->publish(2, "room", "x");
    world.settle();
    EXPECT_EQ(acknowledged(ann) + acknowledged(bob), 4);
}

TEST_P(LimitsTest, a_channel_has_so_many_members) {
    allow({.presence_members_per_channel = 1});
    auto ann = connect("ann"), bob = connect("bob", 1);
    for (const auto& client : {ann, bob}) {
        client->attach("room");
        world.settle();
        client->present(0, "room", PresenceAction::enter);
        world.settle();
    }
    EXPECT_EQ(nacks(ann), std::vector<ErrorCode>{});
    EXPECT_EQ(nacks(bob), std::vector{ErrorCode::presence_member_limit});
}

TEST_P(LimitsTest, a_connection_has_a_channel_by_so_many_names) {
    auto ann = connect("ann", 0, {}, "other");
    const auto most = base::limits::aliases_per_channel_max;
    for (std::size_t i = 0; i <= most; ++i) ann->attach(fmt::format("[?rewind={}]room", i + 1));
    ann->attach("elsewhere");
    world.settle();
    EXPECT_EQ(ann->of(Action::attached).size(), most + 1);
    ASSERT_EQ(ann->of(Action::error).size(), 1u);
    EXPECT_EQ(ann->of(Action::error)[0].error->code, ErrorCode::channel_limit_exceeded);
    ann->attach("[?rewind=1]room");  // one that it has
    ann->say({.action = Action::detach, .channel = "[?rewind=1]room"});
    ann->attach("[?rewind=21]room");
    world.settle();
    EXPECT_EQ(ann->of(Action::error).size(), 1u);
}

TEST_P(LimitsTest, a_replay_is_put_off_while_much_of_others_is_unread) {
    auto ann = connect("ann", 0, {}, "other"), bob = connect("bob", 1, {}, "other");
    bob->publish(0, "room", "x");
    world.settle();
    ann->unread = base::limits::replay_backlog_bytes_max + 1;
    ann->say({.action = Action::attach, .channel = "room", .params = {{"rewind", "1"}}});
    ann->attach("elsewhere");  // has nothing to replay
    world.settle();
    ASSERT_EQ(ann->of(Action::detached).size(), 1u);
    EXPECT_EQ(ann->of(Action::detached)[0].error->code, ErrorCode::unavailable);  // an SDK attaches again
    EXPECT_EQ(ann->of(Action::attached).size(), 1u);
    ann->unread = 0;
    ann->say({.action = Action::attach, .channel = "room", .params = {{"rewind", "1"}}});
    world.settle();
    EXPECT_EQ(ann->data(), std::vector<std::string>{"x"});
}

TEST_P(LimitsTest, without_memory_load_is_shed_in_the_stated_order_and_nothing_that_was_acknowledged) {
    base::MemoryWatch memory{1'000'000};
    world.facts.memory = &memory;
    auto ann = connect("ann", 0, {}, "other"), bob = connect("bob", 1, {}, "other");
    ann->attach("room");
    bob->attach("room");
    world.settle();
    bob->present(0, "room", PresenceAction::enter);
    bob->publish(1, "room", "1");
    world.settle();

    memory.judge(800'000);  // no new connections
    EXPECT_EQ(refusal(connect("carl", 2, {}, "other")), ErrorCode::unavailable);
    bob->publish(2, "room", "2");
    ann->attach("second", "m00000000000-0000000000");
    world.settle();
    EXPECT_EQ(ann->data(), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(ann->of(Action::attached).size(), 2u);

    memory.judge(900'000);  // … nothing of what came before
    ann->say({.action = Action::attach, .channel = "third", .params = {{"rewind", "1"}}});
    ann->attach("fourth");
    bob->publish(3, "room", "3");
    std::optional<ErrorCode> history;
    world.hubs[0]->history("other/room", {}, [&](auto page) { history = page ? ErrorCode{} : page.error().code; });
    world.settle();
    EXPECT_EQ(ann->of(Action::detached).at(0).channel, "third");
    EXPECT_EQ(ann->of(Action::attached).back().channel, "fourth");
    EXPECT_EQ(history, ErrorCode::unavailable);
    EXPECT_EQ(ann->data().back(), "3");

    memory.judge(1'000'000);  // … and no publishes
    bob->publish(4, "room", "4");
    world.settle();
    EXPECT_EQ(nacks(bob), std::vector{ErrorCode::unavailable});
    bob->present(5, "room", PresenceAction::leave);  // makes room
    world.settle();
    EXPECT_EQ(ann->presence(), (std::vector<std::string>{"bob enter", "bob leave"}));

    memory.judge(1'000);
    std::vector<std::string> kept;
    world.hubs[0]->history("other/room", {}, [&](auto page) {
        for (const auto& each : page->messages) kept.push_back(std::get<std::string>(each.data));
    });
    world.settle();
    EXPECT_EQ(kept, (std::vector<std::string>{"3", "2", "1"}));
    EXPECT_NE(connect("carl", 2, {}, "other")->connection, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Shards, LimitsTest, testing::Values(1, 3), [](const auto& shards) { return std::to_string(shards.param); });

}  // namespace
}  // namespace realtime
