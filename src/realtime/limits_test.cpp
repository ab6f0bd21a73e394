#include "realtime/world.test.hpp"

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

INSTANTIATE_TEST_SUITE_P(Shards, LimitsTest, testing::Values(1, 3), [](const auto& shards) { return std::to_string(shards.param); });

}  // namespace
}  // namespace realtime
