#include "realtime/hub.hpp"

#include "base/base64.hpp"
#include "realtime/connection_key.hpp"
#include "realtime/world.test.hpp"

namespace realtime {
namespace {

using namespace realtime::test;
using namespace std::chrono_literals;
using protocol::PresenceAction;
namespace flag = protocol::flag;

using Strings = std::vector<std::string>;

/// Runs each test with one shard, where everything is at hand, and with three, where it is not.
class HubTest : public testing::TestWithParam<std::size_t> {
protected:
    std::shared_ptr<Client> connect(std::string client_id, std::size_t shard = 0, std::string resume_key = {},
                                    Connection::Options options = {}) {
        auto client = Client::connect(*world, shard % world->size(), std::move(client_id), std::move(resume_key), options);
        world->settle();
        return client;
    }
    void attach(const std::shared_ptr<Client>& client, const std::string& channel, std::string serial = {}) {
        client->attach(channel, std::move(serial));
        world->settle();
    }

    std::unique_ptr<World> world = std::make_unique<World>(GetParam(), 1'000);
};

TEST_P(HubTest, RTL6_what_one_publishes_all_attached_receive_in_one_order_and_the_publisher_is_told) {
    auto ann = connect("ann", 0), bob = connect("bob", 1), carl = connect("carl", 2, {}, {.format = protocol::Format::msgpack});
    for (const auto& client : {ann, bob, carl}) attach(client, "room");
    ann->publish(0, "room", "from ann");
    bob->publish(0, "room", "from bob");
    ann->publish(1, "room", "again");
    world->settle();
    EXPECT_EQ(ann->data().size(), 3u);
    EXPECT_EQ(ann->data(), bob->data());
    EXPECT_EQ(ann->data(), carl->data());
    std::int64_t acknowledged = 0;
    for (const auto& ack : ann->of(Action::ack)) acknowledged += ack.count;
    EXPECT_EQ(acknowledged, 2);
}

TEST_P(HubTest, CHM2_a_home_knows_how_its_channels_are_used_and_lists_them_by_name) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    for (const auto* channel : {"c", "a", "b", "other"}) attach(ann, channel);
    attach(bob, "b");
    bob->present(0, "b", PresenceAction::enter);
    world->settle();
    const auto listed = [&](const std::string& after, std::size_t limit) {
        std::map<std::string, OccupancyMetrics> all;
        world->hubs[0]->ask_all<std::vector<Home::Active>>(
            [=](Hub& there) {
                return there.home().active([](const std::string& address) { return address != "app/other"; }, after, limit);
            },
            [&](std::vector<std::vector<Home::Active>> found) {
                for (const auto& page : found) {
                    for (const auto& each : page) all.emplace(each.address, each.metrics);
                }
            });
        world->settle();
        return all;
    };
    const OccupancyMetrics one{
        .connections = 1, .publishers = 1, .subscribers = 1, .presence_connections = 1, .presence_subscribers = 1};
    const OccupancyMetrics two{.connections = 2,
                               .publishers = 2,
                               .subscribers = 2,
                               .presence_connections = 2,
                               .presence_subscribers = 2,
                               .presence_members = 1};
    using Listed = std::map<std::string, OccupancyMetrics>;
    EXPECT_EQ(listed("", 10), (Listed{{"app/a", one}, {"app/b", two}, {"app/c", one}}));
    EXPECT_EQ(listed("app/a", 10), (Listed{{"app/b", two}, {"app/c", one}}));
    EXPECT_EQ(listed("app/a", 1).begin()->first, "app/b");
    std::optional<OccupancyMetrics> asked = one;
    world->hubs[0]->ask_home<std::optional<OccupancyMetrics>>(
        "app/unused", [](Hub& there) { return there.home().occupancy("app/unused"); }, [&](auto answer) { asked = answer; });
    world->settle();
    EXPECT_EQ(asked, std::nullopt);
}

TEST_P(HubTest, channels_apps_and_detached_clients_are_apart) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(ann, "one");
    attach(bob, "two");
    attach(bob, "one");
    bob->say({.action = Action::detach, .channel = "one"});
    world->settle();
    world->hubs[0]->publish("app/one", {.message = {.action = Action::message, .channel = "one", .messages = {{.data = "x"}}}}, {},
                            [](auto) {});
    world->hubs[0]->publish("other/two", {.message = {.action = Action::message, .channel = "two", .messages = {{.data = "y"}}}}, {},
                            [](auto) {});
    world->settle();
    EXPECT_EQ(ann->data(), Strings{"x"});
    EXPECT_EQ(bob->data(), Strings{});
}

TEST_P(HubTest, RTC1a_echo_off_leaves_out_ones_own_messages) {
    auto ann = connect("ann", 0, {}, {.echo = false}), bob = connect("bob", 1);
    attach(ann, "room");
    attach(bob, "room");
    ann->publish(0, "room", "mine");
    bob->publish(0, "room", "theirs");
    world->settle();
    EXPECT_EQ(ann->data(), Strings{"theirs"});
    EXPECT_EQ(bob->data().size(), 2u);
}

TEST_P(HubTest, a_qualified_name_is_answered_under_that_name) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(ann, "room");
    ann->publish(0, "room", "before");
    world->settle();
    attach(bob, "[?rewind=1]room");
    ann->publish(1, "room", "after");
    world->settle();
    EXPECT_EQ(bob->data(), (Strings{"before", "after"}));
    for (const auto& message : bob->of(Action::message)) EXPECT_EQ(message.channel, "[?rewind=1]room");
}

TEST_P(HubTest, through_a_filter_one_hears_what_matches_live_rewound_and_resumed) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    const auto filter = base::base64_encode("name == 'wanted'");
    const auto filtered = "[filter=" + filter + "]room";
    const auto say = [&](std::int64_t msg_serial, std::string data) {
        ann->say({.action = Action::message,
                  .msg_serial = msg_serial,
                  .channel = "room",
                  .messages = {{.name = "other", .data = "not " + data}, {.name = "wanted", .data = data}}});
        ann->publish(msg_serial + 1, "room", "nameless");
        world->settle();
    };
    say(0, "1");
    attach(bob, "[filter=" + filter + "?rewind=2]room");
    attach(bob, filtered);
    say(2, "2");
    const auto key = bob->key(), serial = bob->last_serial();
    bob->drop();
    say(4, "3");
    auto back = connect("bob", 2, key);
    attach(back, filtered, serial);
    say(6, "4");
    EXPECT_EQ(bob->data(), (Strings{"1", "2", "2"}));
    EXPECT_EQ(back->data(), (Strings{"3", "4"}));
    for (const auto& message : back->of(Action::message)) EXPECT_EQ(message.channel, filtered);
    EXPECT_EQ(ann->of(Action::nack).size(), 0u);
}

TEST_P(HubTest, who_hears_nothing_through_a_filter_misses_nothing_when_it_comes_back) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    const auto name = "[filter=" + base::base64_encode("name == 'wanted'") + "]room";
    attach(bob, name);
    const auto key = bob->key();
    for (int i = 0; i < 20; ++i) {
        ann->publish(i, "room", "unwanted");
        world->tick_for(10s);
    }
    const auto serial = bob->last_serial();
    bob->drop();
    ann->publish(20, "room", "unwanted");
    world->tick_for(10s);
    bob = connect("bob", 2, key);
    attach(bob, name, serial);
    EXPECT_EQ(bob->data(), Strings{});
    EXPECT_NE(bob->of(Action::attached).back().flags & flag::resumed, 0);
    EXPECT_FALSE(bob->of(Action::attached).back().error);
}

TEST_P(HubTest, RTP5a_a_filter_does_not_keep_members_of_the_channel_itself) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(ann, "room");
    attach(bob, "room");
    attach(bob, "[filter=" + base::base64_encode("name") + "]room");
    bob->present(0, "room", PresenceAction::enter);
    bob->say({.action = Action::detach, .channel = "room"});
    world->settle();
    EXPECT_EQ(ann->presence(), (Strings{"bob enter", "bob leave"}));
}

TEST_P(HubTest, RTL4c1_a_client_that_was_away_resumes_with_nothing_lost_and_nothing_doubled) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(bob, "room");
    ann->publish(0, "room", "1");
    world->settle();
    const auto key = bob->key(), serial = bob->last_serial();
    bob->drop();
    ann->publish(1, "room", "2");
    ann->publish(2, "room", "3");
    world->settle();
    auto back = connect("bob", 2, key);
    attach(back, "room", serial);
    ann->publish(3, "room", "4");
    world->settle();
    EXPECT_EQ(back->data(), (Strings{"2", "3", "4"}));
    EXPECT_NE(back->of(Action::attached).at(0).flags & flag::resumed, 0);
    EXPECT_EQ(back->of(Action::connected).at(0).connection_id, bob->of(Action::connected).at(0).connection_id);
    EXPECT_EQ(back->of(Action::connected).at(0).error, std::nullopt);
}

TEST_P(HubTest, RTL4c1_beyond_the_window_the_client_is_told_that_it_missed_something) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(bob, "room");
    ann->publish(0, "room", "1");
    world->settle();
    const auto serial = bob->last_serial();
    bob->drop();
    ann->publish(1, "room", "2");
    world->settle();
    world->tick_for(base::limits::retention + 8s);
    ann->publish(2, "room", "3");
    world->settle();
    auto back = connect("bob", 0);
    attach(back, "room", serial);
    EXPECT_EQ(back->of(Action::attached).at(0).flags & flag::resumed, 0);
    EXPECT_EQ(back->data(), Strings{});
}

TEST_P(HubTest, RTL12_who_is_attached_where_changes_are_missing_is_told_and_nobody_resumes_from_before) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    for (const auto& client : {ann, bob}) attach(client, "room");
    attach(bob, "other");
    ann->present(0, "room", PresenceAction::enter);
    world->settle();
    const auto before = bob->last_serial();
    const auto attached = bob->of(Action::attached).size();
    for (auto& hub : world->hubs) hub->home().interrupt("app/room", /*is_prefix=*/false, {100, 0});
    world->settle();
    ASSERT_EQ(bob->of(Action::attached).size(), attached + 1) << "of this channel only";
    const auto told = bob->of(Action::attached).back();
    EXPECT_EQ(told.channel, "room");
    EXPECT_EQ(told.flags & flag::resumed, 0);
    EXPECT_NE(told.flags & flag::has_presence, 0) << "or an SDK would take it that nobody is present";
    EXPECT_EQ(told.error->code, ErrorCode::channel_messages_expired);
    ann->publish(1, "room", "after");
    world->settle();
    EXPECT_EQ(bob->data(), Strings{"after"});
    auto back = connect("bob", 2);
    attach(back, "room", before);
    EXPECT_EQ(back->of(Action::attached).at(0).flags & flag::resumed, 0);
}

TEST_P(HubTest, RTN19a_what_is_sent_again_after_a_resume_is_published_once) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(bob, "room");
    ann->publish(0, "room", "once");
    world->settle();
    const auto key = ann->key();
    ann->drop();
    auto back = connect("ann", 1, key);
    back->publish(0, "room", "once");
    back->publish(1, "room", "next");
    world->settle();
    EXPECT_EQ(bob->data(), (Strings{"once", "next"}));
    EXPECT_EQ(back->of(Action::ack).at(0).res.at(0), ann->of(Action::ack).at(0).res.at(0));
}

TEST_P(HubTest, RTN15c7_a_connection_that_is_no_more_is_replaced_and_the_client_told) {
    auto ann = connect("ann", 0);
    const auto key = ann->key();
    ann->say({.action = Action::close});
    world->settle();
    auto back = connect("ann", 1, key);
    EXPECT_EQ(back->of(Action::connected).at(0).error->code, ErrorCode::unable_to_recover_connection_expired);
    EXPECT_NE(back->of(Action::connected).at(0).connection_id, ann->of(Action::connected).at(0).connection_id);
    auto forged = connect("ann", 0, "made!up!key");
    EXPECT_EQ(forged->of(Action::connected).at(0).error->code, ErrorCode::invalid_connection_key);
}

TEST_P(HubTest, RTN15c5_a_connection_is_resumed_by_its_own_client_only) {
    auto ann = connect("ann", 0);
    auto thief = connect("eve", 1, ann->key());
    EXPECT_EQ(thief->connection, nullptr);
    EXPECT_EQ(thief->refused->code, ErrorCode::incompatible_credentials);
    auto elsewhere = Client::connect(*world, 0, "ann", ann->key(), {}, "other");
    auto by_another_key = Client::connect(*world, 0, "ann", ann->key(), {}, "app", "app.other");
    world->settle();
    EXPECT_EQ(elsewhere->refused->code, ErrorCode::incompatible_credentials);
    EXPECT_EQ(by_another_key->refused->code, ErrorCode::incompatible_credentials);
    ASSERT_NE(ann->connection, nullptr) << "who asks in vain does not end the client's transport";
    ann->drop();
    EXPECT_EQ(connect("eve", 1, ann->key())->refused->code, ErrorCode::incompatible_credentials);
    EXPECT_NE(connect("ann", 1, ann->key())->connection, nullptr);
}

TEST_P(HubTest, RTN12_an_absent_connection_is_ended_by_its_own_client_only) {
    auto ann = connect("ann", 0);
    const auto identity = [&](std::string client_id, const std::string& app_id, std::string key_name) {
        return auth::Identity{.app = world->apps.find(app_id),
                              .key_name = std::move(key_name),
                              .client_id = std::move(client_id),
                              .capability = {}};
    };
    const auto own = identity("ann", "app", "app.key");
    auto nobody = identity("", "app", "app.key");
    nobody.expires = clock_now + std::chrono::hours{1};  // a token: who has the key itself may be anyone
    const auto earlier = check_connection_key(ann->key(), "secret").value();
    auto back = connect("ann", 0, ann->key());
    const auto key = check_connection_key(back->key(), "secret").value();
    auto& hub = *world->hubs[0];
    hub.end_absent(key, own);
    EXPECT_NE(hub.find(key.connection_id), nullptr) << "it is not absent";
    back->drop();
    hub.end_absent(earlier, own);
    for (const auto& stranger : {identity("eve", "app", "app.key"), nobody, identity("ann", "other", "app.key"),
                                 identity("ann", "app", "app.other")}) {
        hub.end_absent(key, stranger);
    }
    EXPECT_NE(hub.find(key.connection_id), nullptr);
    hub.end_absent(key, identity("", "app", "app.key"));
    EXPECT_EQ(hub.find(key.connection_id), nullptr);
}

TEST_P(HubTest, RTN15h_a_client_is_disconnected_within_a_second_of_its_tokens_expiry) {
    const auto now = [] { return clock_now; };
    const auto until_disconnected = [&](const std::shared_ptr<Client>& client) {
        for (int ticks = 0; client->of(Action::disconnected).empty() && ticks < 1'000; ++ticks) {
            clock_now += std::chrono::milliseconds{1'000 / Hub::ticks_per_second};
            for (auto& hub : world->hubs) hub->tick();
            world->settle();
        }
        EXPECT_EQ(client->of(Action::disconnected).at(0).error->code, ErrorCode::token_expired);
        return now();
    };
    for (const auto ttl : {100ms, 500ms, 3'456ms, 6'999ms, 7'001ms, 14'900ms, 29'950ms}) {
        const auto client = connect("ann");
        client->drop();
        auto identity = world->hubs[0]->find(client->of(Action::connected).at(0).connection_id)->identity();
        identity.expires = now() + ttl;
        const auto expiring = std::make_shared<Client>(*world, 0, protocol::Format::json);
        world->hubs[0]->connect({.identity = identity, .options = {}, .resume_key = {}}, expiring,
                                [&](Result<Connection*> connection) { expiring->connection = *connection; });
        world->settle();
        const auto gone = until_disconnected(expiring);
        EXPECT_GE(gone, *identity.expires);
        EXPECT_LT(gone, *identity.expires + 1s);
        EXPECT_TRUE(expiring->of(Action::auth).empty());
    }
    const auto client = connect("bob");
    const auto& key = *world->apps.find_key("app.key");
    const auto token = auth::issue_token(key, {.key_name = key.name, .client_id = "bob", .ttl_ms = 2'000}, true, now()).value();
    client->say({.action = Action::auth, .access_token = token.token});
    EXPECT_LT(until_disconnected(client), base::from_ms(token.expires_ms) + 1s);
}

TEST_P(HubTest, appendMode_full_tells_the_whole_message_live_and_on_a_resume) {
    const auto ann = connect("ann", 0), bob = connect("bob", 1);
    const auto attach_full = [&](const std::shared_ptr<Client>& client, const std::string& name, std::string serial = {}) {
        client->say({.action = Action::attach, .channel = name, .channel_serial = std::move(serial), .params = {{"appendMode", "full"}}});
        world->settle();
    };
    attach(ann, "room");
    attach_full(bob, "room");
    attach_full(bob, "[?x=1]room");
    EXPECT_EQ(bob->of(Action::attached).at(0).params.at("appendMode"), "full");
    ann->publish(0, "room", "a");
    world->settle();
    const auto serial = ann->of(Action::message).at(0).messages.at(0).serial;
    const auto append = [&](std::int64_t msg_serial, std::string data) {
        ann->say({.action = Action::message, .msg_serial = msg_serial, .channel = "room",
                  .messages = {{.data = std::move(data), .action = protocol::MessageAction::append, .serial = serial}}});
        world->settle();
    };
    append(1, "b");
    append(2, "c");
    EXPECT_EQ(ann->data(), (Strings{"a", "b", "c"}));
    EXPECT_EQ(bob->data(), (Strings{"a", "a", "ab", "ab", "abc", "abc"}));
    const auto told = bob->of(Action::message).back().messages.at(0);
    EXPECT_EQ(told.action, protocol::MessageAction::update);
    EXPECT_EQ(told.serial, serial);
    EXPECT_EQ(told.version->serial, ann->of(Action::message).back().messages.at(0).version->serial);

    const auto carl = connect("carl", 2);
    attach_full(carl, "room", bob->of(Action::message).at(0).channel_serial);
    EXPECT_EQ(carl->data(), Strings{"abc"});
    bob->say({.action = Action::detach, .channel = "room"});
    bob->say({.action = Action::detach, .channel = "[?x=1]room"});
    world->settle();
    append(3, "d");
    EXPECT_EQ(bob->data().size(), 6u);
    EXPECT_EQ(carl->data(), (Strings{"abc", "abcd"}));
}

TEST_P(HubTest, appends_within_the_window_leave_as_one_and_all_are_acknowledged) {
    const auto ann = connect("ann", 0, {}, {.append_window = 500ms}), bob = connect("bob", 1);
    attach(bob, "room");
    ann->publish(0, "room", "a");
    world->settle();
    const auto serial = bob->of(Action::message).at(0).messages.at(0).serial;
    std::int64_t msg_serial = 1;
    const auto append = [&](const std::string& data, std::int64_t as = -1) {
        ann->say({.action = Action::message, .msg_serial = as < 0 ? msg_serial++ : as, .channel = "room",
                  .messages = {{.data = data, .action = protocol::MessageAction::append, .serial = serial}}});
        world->settle();
    };
    for (const auto* data : {"1", "2", "3", "4"}) append(data);
    EXPECT_EQ(bob->data(), (Strings{"a", "1"}));
    world->tick_for(1s);
    EXPECT_EQ(bob->data(), (Strings{"a", "1", "234"}));
    std::vector<std::string> serials;
    for (const auto& ack : ann->of(Action::ack)) {
        for (const auto& each : ack.res) serials.push_back(each.serials.at(0));
    }
    ASSERT_EQ(serials.size(), 5u);
    EXPECT_NE(serials[1], serials[2]);
    EXPECT_EQ(serials[2], serials[3]);
    EXPECT_EQ(serials[2], serials[4]);
    EXPECT_EQ(serials[2], bob->of(Action::message).back().messages.at(0).version->serial);

    world->tick_for(1s);
    for (const auto* data : {"5", "6", "7"}) append(data);
    ann->publish(msg_serial++, "room", "other");
    world->settle();
    EXPECT_EQ(bob->data(), (Strings{"a", "1", "234", "5", "67", "other"}));

    // What is sent again after a resume was said before, whatever it left with.
    world->tick_for(1s);
    for (const auto* data : {"8", "9", "10"}) append(data);
    ann->drop();
    world->settle();
    EXPECT_EQ(bob->data().back(), "910");
    const auto heard = bob->data().size();
    const auto again = connect("ann", 2, ann->key(), {.append_window = 500ms});
    for (auto each = msg_serial - 3; each < msg_serial; ++each) {
        again->say({.action = Action::message, .msg_serial = each, .channel = "room",
                    .messages = {{.data = "again", .action = protocol::MessageAction::append, .serial = serial}}});
        world->settle();
    }
    world->tick_for(1s);
    EXPECT_EQ(bob->data().size(), heard);
    std::int64_t acknowledged = 0;
    for (const auto& ack : again->of(Action::ack)) acknowledged += ack.count;
    EXPECT_EQ(acknowledged, 3);
}

TEST_P(HubTest, D3_after_a_restart_ids_go_on_for_as_long_as_the_connection_could_have_been_resumed) {
    auto ann = connect("ann", 0);
    const auto key = ann->key();
    world = std::make_unique<World>(GetParam(), static_cast<std::uint64_t>(base::to_ms(clock_now)));
    auto back = connect("ann", 1, key);
    EXPECT_EQ(back->of(Action::connected).at(0).connection_id, ann->of(Action::connected).at(0).connection_id);
    EXPECT_EQ(back->of(Action::connected).at(0).error, std::nullopt);

    world = std::make_unique<World>(GetParam(), static_cast<std::uint64_t>(base::to_ms(clock_now)));
    clock_now += base::limits::connection_state_ttl;
    EXPECT_EQ(connect("ann", 1, key)->of(Action::connected).at(0).error->code, ErrorCode::unable_to_recover_connection_expired);
}

TEST(HubResume, D3_after_a_restart_a_connection_is_taken_up_once_however_many_come_for_it) {
    std::string key;
    {
        World before{3, 1'000};
        auto ann = Client::connect(before, 0, "ann");
        before.settle();
        key = ann->key();
    }
    World world{3, static_cast<std::uint64_t>(base::to_ms(clock_now))};
    std::vector<std::shared_ptr<Client>> clients;
    for (const std::size_t shard : {0, 1, 2, 0, 1, 2}) clients.push_back(Client::connect(world, shard, "ann", key));
    std::mt19937 random{1};
    while (world.step(random)) {
    }
    clients.push_back(Client::connect(world, 0, "ann", key));
    world.settle();
    std::size_t with_the_id = 0;
    for (const auto& client : clients) with_the_id += client->connection && key.starts_with(client->connection->id() + "!");
    EXPECT_EQ(with_the_id, 1u);
}

TEST_P(HubTest, RTP_members_are_synced_announced_and_gone_with_their_connection) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(ann, "room");
    ann->present(0, "room", PresenceAction::enter);
    world->settle();
    attach(bob, "room");
    bob->present(0, "room", PresenceAction::enter);
    world->settle();
    ann->present(1, "room", PresenceAction::update);
    world->settle();
    EXPECT_EQ(bob->presence(), (Strings{"ann present", "bob enter", "ann update"}));
    ann->drop();
    world->tick_for(base::limits::presence_grace - 1s);
    EXPECT_EQ(bob->presence().size(), 3u);
    world->tick_for(1s);
    EXPECT_EQ(bob->presence().back(), "ann leave");
    bob->say({.action = Action::close});
    world->settle();
    std::optional<std::size_t> members;
    world->hubs[0]->presence("app/room", [&](auto found) { members = found->size(); });
    world->settle();
    EXPECT_EQ(members, 0u);
}

TEST_P(HubTest, presence_is_kept_through_a_resume) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(ann, "room");
    attach(bob, "room");
    ann->present(0, "room", PresenceAction::enter);
    world->settle();
    const auto key = ann->key();
    ann->drop();
    world->tick_for(5s);
    auto back = connect("ann", 2, key);
    world->tick_for(60s);
    EXPECT_EQ(bob->presence(), Strings{"ann enter"});
    back->say({.action = Action::close});
    world->settle();
    EXPECT_EQ(bob->presence(), (Strings{"ann enter", "ann leave"}));
}

TEST_P(HubTest, RTP17g_a_member_that_left_by_the_grace_period_and_enters_again_by_its_first_id_is_announced) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(ann, "room");
    attach(bob, "room");
    const ProtocolMessage enter{.action = Action::presence, .msg_serial = 0, .channel = "room",
                                .presence = {{.id = ann->connection->id() + ":0:0", .action = PresenceAction::enter}}};
    ann->say(enter);
    world->settle();
    const auto key = ann->key();
    ann->drop();
    world->tick_for(base::limits::presence_grace);
    auto back = connect("ann", 2, key);
    attach(back, "room");
    back->say(enter);
    world->settle();
    EXPECT_EQ(bob->presence(), (Strings{"ann enter", "ann leave", "ann enter"}));
}

TEST_P(HubTest, D3_a_channel_fed_by_a_database_is_attached_to_once_its_history_is_back) {
    for (auto& hub : world->hubs) hub->home().fed_by_database({"app/rows"});
    const auto home = home_of("app/rows", world->size());
    world->hubs[home]->home().broker().start_at("app/rows", {100, 1});
    auto ann = connect("ann", 1), bob = connect("bob", 0);
    attach(ann, "rows", broker::to_serial({.wal = {200, 1}}));
    attach(bob, "rows", broker::to_serial({.wal = {200, 1}}));
    bob->say({.action = Action::detach, .channel = "rows"});
    EXPECT_TRUE(ann->of(Action::attached).empty());
    for (const std::uint64_t lsn : {200, 300}) {
        broker::Draft draft{.message = {.action = Action::message, .channel = "rows", .messages = {{.data = std::to_string(lsn)}}},
                            .place = broker::WalPlace{lsn, 1}};
        world->hubs[home]->publish("app/rows", broker::Draft{draft}, {}, [](auto result) { EXPECT_TRUE(result); });
    }
    world->settle();
    EXPECT_TRUE(ann->of(Action::attached).empty());
    for (auto& hub : world->hubs) hub->home().caught_up();
    world->settle();
    EXPECT_NE(ann->of(Action::attached).at(0).flags & flag::resumed, 0);
    EXPECT_EQ(ann->data(), Strings{"300"});
    EXPECT_TRUE(bob->of(Action::attached).empty());
}

TEST_P(HubTest, D5_attaches_wait_for_the_history_up_to_a_bound_and_are_counted_right_either_way) {
    for (auto& hub : world->hubs) hub->home().fed_by_database({"app/rows"});
    auto ann = connect("ann", 1);
    for (std::size_t i = 0; i < base::limits::attaches_waiting_max; ++i) ann->attach("rows");
    world->settle();
    EXPECT_TRUE(ann->of(Action::detached).empty());
    auto bob = connect("bob", 0);
    attach(bob, "rows");
    EXPECT_EQ(bob->of(Action::detached).at(0).error->code, ErrorCode::unavailable);
    ann->say({.action = Action::detach, .channel = "rows"});
    world->settle();
    for (auto& hub : world->hubs) hub->home().caught_up();
    attach(bob, "rows");
    EXPECT_EQ(bob->of(Action::attached).size(), 1u);
    EXPECT_TRUE(ann->of(Action::attached).empty());
}

TEST_P(HubTest, the_connections_of_an_app_that_is_removed_end_and_new_ones_are_refused) {
    auto ann = connect("ann", 0), away = connect("away", 0);
    auto bob = Client::connect(*world, 0, "bob", {}, {}, "other");
    world->settle();
    away->drop();
    const auto app = world->apps.find("app");
    Hub::ConnectRequest checked_before{.identity = {.app = app, .key_name = "app.key"}};
    ASSERT_TRUE(world->apps.remove("app"));
    const base::Error gone{ErrorCode::not_found, "gone"};
    for (auto& hub : world->hubs) hub->end_connections([](const auto& identity) { return identity.app_id() == "app"; }, gone);
    world->settle();
    EXPECT_EQ(ann->of(Action::error).at(0).error, gone);
    EXPECT_EQ(ann->connection, nullptr);
    EXPECT_NE(bob->connection, nullptr);
    EXPECT_EQ(*app->connections, 0u);
    std::optional<base::Error> refused;
    world->hubs[0]->connect(std::move(checked_before), ann, [&](Result<Connection*> done) { refused = done.error(); });
    world->settle();
    EXPECT_EQ(refused->code, ErrorCode::not_found);
    std::size_t left = 0;
    for (const auto& hub : world->hubs) left += hub->connections();
    EXPECT_EQ(left, 1u);  // bob's
}

TEST_P(HubTest, D5_a_full_channel_of_members_takes_no_more) {
    auto ann = connect("*", 0);
    attach(ann, "room");
    ProtocolMessage enter{.action = Action::presence, .msg_serial = 0, .channel = "room"};
    for (std::size_t i = 0; i < base::limits::presence_members_per_channel_max; ++i) {
        enter.presence.push_back({.client_id = "c" + std::to_string(i), .action = PresenceAction::enter});
    }
    ann->say(enter);
    auto bob = connect("bob", 1);
    attach(bob, "room");
    bob->present(0, "room", PresenceAction::enter);
    world->settle();
    EXPECT_EQ(bob->of(Action::nack).at(0).error->code, ErrorCode::presence_member_limit);
}

TEST_P(HubTest, D5_members_weigh_all_that_they_bring) {
    auto ann = connect("*", 0);
    attach(ann, "room");
    for (int i = 0; i < 75; ++i) {
        ann->say({.action = Action::presence,
                  .msg_serial = i,
                  .channel = "room",
                  .presence = {{.client_id = "c" + std::to_string(i), .encoding = std::string(65'000, 'e'),
                                .action = PresenceAction::enter}}});
    }
    world->settle();
    EXPECT_EQ(ann->of(Action::nack).at(0).error->code, ErrorCode::presence_member_limit);
    auto bob = connect("bob", 1);
    attach(bob, "room");
    std::size_t members = 0;
    for (const auto& sync : bob->of(Action::sync)) {
        EXPECT_LE(protocol::encode(protocol::Format::json, sync).size(), base::limits::frame_bytes_max);
        members += sync.presence.size();
    }
    EXPECT_GT(members, 40u);
    EXPECT_LE(members * 65'000, base::limits::presence_bytes_per_channel_max);
}

TEST_P(HubTest, the_members_of_a_connection_leave_in_frames_that_are_not_too_large) {
    auto ann = connect("*", 0), bob = connect("bob", 1);
    attach(ann, "room");
    attach(bob, "room");
    for (int i = 0; i < 40; ++i) {
        ann->say({.action = Action::presence,
                  .msg_serial = i,
                  .channel = "room",
                  .presence = {{.client_id = "c" + std::to_string(i), .data = std::string(60'000, 'x'), .action = PresenceAction::enter}}});
    }
    ann->say({.action = Action::close});
    world->settle();
    std::size_t left = 0;
    for (const auto& frame : bob->of(Action::presence)) {
        EXPECT_LE(protocol::encode(protocol::Format::json, frame).size(), base::limits::frame_bytes_max);
        for (const auto& each : frame.presence) left += each.action == PresenceAction::leave ? 1u : 0u;
    }
    EXPECT_EQ(left, 40u);
}

TEST_P(HubTest, CHM2_who_asked_for_occupancy_is_told_of_every_change_within_a_second) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    ann->say({.action = Action::attach, .channel = "room", .params = {{"occupancy", "metrics"}}});
    world->settle();
    attach(bob, "room");
    bob->present(0, "room", PresenceAction::enter);
    bob->present(1, "room", PresenceAction::update);
    world->settle();
    EXPECT_EQ(ann->data(), (Strings{R"({"metrics":{"connections":1,"publishers":1,"subscribers":1,"presenceConnections":1,)"
                                    R"("presenceMembers":0,"presenceSubscribers":1,"objectPublishers":0,"objectSubscribers":0}})"}));
    world->tick_for(1s);
    EXPECT_EQ(ann->data().at(1), R"({"metrics":{"connections":2,"publishers":2,"subscribers":2,"presenceConnections":2,)"
                                 R"("presenceMembers":1,"presenceSubscribers":2,"objectPublishers":0,"objectSubscribers":0}})");
    world->tick_for(2s);
    EXPECT_EQ(ann->data().size(), 2u);  // nothing has changed since
    bob->say({.action = Action::attach, .flags = flag::subscribe, .channel = "room"});
    bob->say({.action = Action::close});
    world->settle();
    world->tick_for(1s);
    EXPECT_EQ(ann->data().at(2), ann->data().at(0));
    EXPECT_TRUE(bob->data().empty());
}

INSTANTIATE_TEST_SUITE_P(Shards, HubTest, testing::Values(1, 3), [](const auto& shards) { return std::to_string(shards.param); });

/// A rule that answers when the test says so.
struct HeldTap final : Tap {
    void join(Hub&) override {}
    Result<void> admit(const std::string&) override {
        if (full) return base::fail(ErrorCode::rate_limit_exceeded, "full");
        return {};
    }
    void take(const std::string& address, const broker::EntryPtr&, bool duplicate,
              std::move_only_function<void(Result<void>)> handled) override {
        taken.push_back(address + (duplicate ? " again" : ""));
        held.push_back(std::move(handled));
    }
    bool full = false;
    Strings taken;
    std::vector<std::move_only_function<void(Result<void>)>> held;
};

TEST_P(HubTest, RTN15h3_a_server_that_goes_down_acknowledges_what_it_took_then_tells_its_clients_to_go) {
    auto ann = connect("ann", 0), bob = connect("bob", 1);
    attach(bob, "room");
    ann->publish(0, "room", "last words");
    for (auto& hub : world->hubs) hub->wind_down();
    EXPECT_EQ(connect("carl", 2)->refused.value().code, ErrorCode::unavailable);
    for (const auto& hub : world->hubs) EXPECT_FALSE(hub->owes_acknowledgements());
    for (auto& hub : world->hubs) hub->shut_down();
    EXPECT_EQ(bob->data(), Strings{"last words"});
    for (const auto& client : {ann, bob}) EXPECT_EQ(client->frames.back().action, Action::disconnected);
    ASSERT_EQ(ann->frames.size(), 3u);
    EXPECT_EQ(ann->frames[1].action, Action::ack);
}

TEST(HubRules, an_ack_waits_for_the_function_and_fan_out_does_not) {
    HeldTap tap;
    World world{1, 1'000, &tap};
    auto ann = Client::connect(world, 0, "ann");
    ann->attach("room");
    ann->publish(0, "room", "hi");
    world.settle();
    EXPECT_EQ(ann->data(), Strings{"hi"});
    EXPECT_TRUE(ann->of(Action::ack).empty());
    tap.held.at(0)({});
    world.settle();
    EXPECT_EQ(ann->of(Action::ack).size(), 1u);
    ann->publish(1, "room", "bad");
    tap.held.at(1)(base::fail(ErrorCode::timeout, "no database"));
    world.settle();
    EXPECT_EQ(ann->of(Action::nack).at(0).error->code, ErrorCode::timeout);
    tap.full = true;
    ann->publish(2, "room", "too many");
    world.settle();
    EXPECT_EQ(ann->of(Action::nack).at(1).error->code, ErrorCode::rate_limit_exceeded);
    EXPECT_EQ(tap.taken.size(), 2u);
}

TEST(HubRules, what_is_published_again_is_handed_over_as_such) {
    HeldTap tap;
    World world{1, 1'000, &tap};
    auto ann = Client::connect(world, 0, "ann");
    ann->publish(0, "room", "hi");
    const auto key = ann->key();
    ann->drop();
    auto back = Client::connect(world, 0, "ann", key);
    back->publish(0, "room", "hi");
    EXPECT_EQ(tap.taken, (Strings{"app/room", "app/room again"}));
}

}  // namespace
}  // namespace realtime
