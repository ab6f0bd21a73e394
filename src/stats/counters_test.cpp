#include "stats/counters.hpp"

#include <gtest/gtest.h>

using namespace stats;
using namespace std::chrono_literals;

namespace {

using Entries = std::map<std::string, double>;

TEST(Counters, TS12_messages_are_in_the_sums_of_their_way_transport_and_kind) {
    Counters counters;
    counters.messages(Way::inbound, Over::realtime, Kind::messages, 2, 20);
    counters.messages(Way::outbound, Over::rest, Kind::presence, 1, 0);
    EXPECT_EQ(counters.entries(1min), (Entries{{"messages.all.all.count", 3},
                                               {"messages.all.all.data", 20},
                                               {"messages.all.messages.count", 2},
                                               {"messages.all.messages.data", 20},
                                               {"messages.all.presence.count", 1},
                                               {"messages.inbound.all.all.count", 2},
                                               {"messages.inbound.all.all.data", 20},
                                               {"messages.inbound.all.messages.count", 2},
                                               {"messages.inbound.all.messages.data", 20},
                                               {"messages.inbound.realtime.all.count", 2},
                                               {"messages.inbound.realtime.all.data", 20},
                                               {"messages.inbound.realtime.messages.count", 2},
                                               {"messages.inbound.realtime.messages.data", 20},
                                               {"messages.outbound.all.all.count", 1},
                                               {"messages.outbound.all.presence.count", 1},
                                               {"messages.outbound.rest.all.count", 1},
                                               {"messages.outbound.rest.presence.count", 1}}));
}

TEST(Counters, TS12_requests_for_tokens_are_requests_too) {
    Counters counters;
    counters.request(Request::other, Outcome::succeeded);
    counters.request(Request::token, Outcome::succeeded);
    counters.request(Request::token, Outcome::refused);
    EXPECT_EQ(counters.entries(1min), (Entries{{"apiRequests.all.refused", 1},
                                               {"apiRequests.all.succeeded", 2},
                                               {"apiRequests.other.succeeded", 1},
                                               {"apiRequests.tokenRequests.refused", 1},
                                               {"apiRequests.tokenRequests.succeeded", 1}}));
}

/// A minute that begins with `level` connections and has one more after `after`.
Counters minute_of(std::int64_t level, std::chrono::milliseconds after) {
    Counters counters;
    counters.begin(Resource::connections, level);
    counters.opened(Resource::connections);
    counters.change(Resource::connections, level, level + 1, after);
    counters.change(Resource::connections, level + 1, level + 1, 1min - after);
    return counters;
}

TEST(Counters, levels_have_a_peak_a_minimum_and_a_mean) {
    auto counters = minute_of(2, 45s);
    EXPECT_EQ(counters.entries(1min), (Entries{{"connections.all.mean", 2.25},
                                               {"connections.all.min", 2},
                                               {"connections.all.opened", 1},
                                               {"connections.all.peak", 3}}));
    counters.then(minute_of(5, 30s));
    EXPECT_EQ(counters.entries(2min), (Entries{{"connections.all.mean", 3.88},
                                               {"connections.all.min", 2},
                                               {"connections.all.opened", 2},
                                               {"connections.all.peak", 6}}));
    counters.then({});
    EXPECT_FALSE(counters.entries(3min).contains("connections.all.min"));
}

TEST(Counters, shards_are_added) {
    auto counters = minute_of(2, 30s);
    counters.beside(minute_of(4, 30s));
    EXPECT_EQ(
        counters.entries(1min),
        (Entries{
            {"connections.all.mean", 7}, {"connections.all.min", 6}, {"connections.all.opened", 2}, {"connections.all.peak", 8}}));
}

TEST(Counters, G3_numbers_are_set_by_name) {
    Counters counters;
    EXPECT_TRUE(counters.empty());
    EXPECT_TRUE(counters.set("persisted.presence.count", 20));
    EXPECT_TRUE(counters.set("channels.mean", 7));
    EXPECT_FALSE(counters.set("persisted.presence", 1));
    EXPECT_EQ(counters.entries(1min),
              (Entries{{"channels.mean", 7}, {"messages.persisted.all.count", 20}, {"messages.persisted.presence.count", 20}}));
}

}  // namespace
