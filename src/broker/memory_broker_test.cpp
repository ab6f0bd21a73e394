#include "broker/memory_broker.hpp"

#include <gtest/gtest.h>

using namespace broker;
using namespace std::chrono_literals;

namespace {

const Time start = base::from_ms(1'800'000'000'000);

void publish(MemoryBroker& broker, const std::string& address, std::size_t bytes, Time now) {
    Draft draft;
    draft.message.action = protocol::Action::message;
    draft.message.messages.push_back({.data = std::string(bytes, 'x')});
    broker.publish(address, std::move(draft), now, [](auto result) { ASSERT_TRUE(result); });
}

Replay everything(MemoryBroker& broker, const std::string& address, Time now) {
    Replay replay;
    broker.replay(address, {.since = start - 1h}, now, [&](auto result) { replay = std::move(result).value(); });
    return replay;
}

}  // namespace

TEST(MemoryBroker, a_channel_is_bounded_in_bytes_and_the_oldest_go_first) {
    MemoryBroker broker{1, {.channel_bytes_max = 10'000}};
    for (int i = 0; i < 100; ++i) publish(broker, "a/x", 1'000, start);
    const auto kept = everything(broker, "a/x", start);
    EXPECT_EQ(kept.entries.size(), 4u);  // 1,000 bytes of data and some 1,000 of structs and texts each
    EXPECT_EQ(kept.entries.back()->position.count, 100u);
}

TEST(MemoryBroker, empty_messages_weigh_too) {
    MemoryBroker broker{1, {.channel_bytes_max = 100'000}};
    Draft draft;
    draft.message.action = protocol::Action::message;
    draft.message.messages.resize(100);
    for (int i = 0; i < 10; ++i) broker.publish("a/x", broker::Draft{draft}, start, [](auto result) { ASSERT_TRUE(result); });
    EXPECT_LE(everything(broker, "a/x", start).entries.size(), 2u);
}

TEST(MemoryBroker, a_channel_nobody_used_for_the_window_is_let_go_and_goes_on_upwards_when_it_is_made_again) {
    MemoryBroker broker{1};
    publish(broker, "a/x", 1, start);
    const auto tail = everything(broker, "a/x", start).tail;
    broker.sweep(start + base::limits::retention);
    EXPECT_EQ(broker.channels(), 1u);
    broker.sweep(start + base::limits::retention + 1s);
    EXPECT_EQ(broker.channels(), 0u);
    publish(broker, "a/x", 1, start + 10min);
    EXPECT_GT(everything(broker, "a/x", start + 10min).tail, tail);
}

TEST(MemoryBroker, channels_below_a_prefix_are_let_go_and_their_tails_kept_up_to_a_bound) {
    MemoryBroker broker{1};
    broker.start_under("a/", {100, 0}, true);
    const auto publish_change = [&](const std::string& address, WalPlace place) {
        Draft draft;
        draft.message.action = protocol::Action::message;
        draft.message.timestamp = base::to_ms(start);
        draft.message.messages.push_back({.id = to_id(place), .data = "x"});
        draft.place = place;
        broker.publish(address, std::move(draft), start, [](auto result) { ASSERT_TRUE(result); });
    };
    const auto complete = [&](const std::string& address, WalPlace place) {
        bool answer = false;
        broker.replay(address, {.after = Position{.wal = place}}, start + 1h, [&](auto result) { answer = result->complete; });
        return answer;
    };
    publish_change("a/old", {200, 1});
    broker.sweep(start + 1h);
    EXPECT_EQ(broker.channels(), 0u);
    EXPECT_TRUE(complete("a/old", {200, 1}));
    EXPECT_FALSE(complete("a/old", {100, 0}));
    EXPECT_TRUE(complete("a/idle", {100, 0}));
    broker.sweep(start + 3h);
    for (std::uint32_t i = 0; i < base::limits::channel_tails_max; ++i) broker.start_at("a/" + std::to_string(i), {300 + i, 1});
    EXPECT_FALSE(complete("a/old", {200, 1})) << "forgotten: it may have had changes that are forgotten too";
    EXPECT_TRUE(complete("a/99999", {300 + 99'999, 1}));
}

TEST(MemoryBroker, a_channel_a_database_feeds_keeps_its_tail) {
    MemoryBroker broker{1};
    broker.start_at("a/x", {100, 1});
    broker.sweep(start + 1h);
    bool complete = false;
    broker.replay("a/x", {.after = Position{.wal = {100, 1}}}, start + 1h, [&](auto result) { complete = result->complete; });
    EXPECT_TRUE(complete);
}

TEST(MemoryBroker, a_channel_outgrows_its_share_at_its_own_cost) {
    MemoryBroker broker{1, {.bytes_max = 900'000}};
    publish(broker, "a/small", 1'000, start);
    for (int i = 0; i < 1'000; ++i) publish(broker, "a/big" + std::to_string(i % 5), 10'000, start);
    EXPECT_LE(broker.bytes(), 900'000u);
    EXPECT_EQ(everything(broker, "a/small", start).entries.size(), 1u);
    EXPECT_GE(everything(broker, "a/big0", start).entries.size(), 4u);
}

TEST(MemoryBroker, channels_that_are_only_published_on_are_bounded_and_those_that_are_there_go_on) {
    MemoryBroker broker{1, {.bytes_max = 10'000'000}};
    publish(broker, "a/there", 100, start);
    std::size_t refused = 0;
    const auto publish_new = [&](const std::string& address, Time now) {
        Draft draft;
        draft.message.action = protocol::Action::message;
        draft.message.messages.push_back({.data = "x"});
        broker.publish(address, std::move(draft), now, [&](auto result) {
            if (result) return;
            EXPECT_EQ(result.error().code, base::ErrorCode::rate_limit_exceeded);
            ++refused;
        });
    };
    for (int i = 0; i < 10'000; ++i) publish_new("a/" + std::to_string(i), start);
    EXPECT_GT(refused, 3'000u);
    EXPECT_LE(broker.bytes(), 10'000'000u);
    for (int i = 0; i < 20; ++i) publish(broker, "a/there", 100, start);
    EXPECT_EQ(everything(broker, "a/there", start).entries.size(), 21u);
    // Who attaches meanwhile finds a new channel empty, and makes none.
    const auto channels = broker.channels();
    for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(everything(broker, "a/new" + std::to_string(i), start).entries.empty());
    EXPECT_EQ(broker.channels(), channels);
    // When the window is over there is room again.
    broker.sweep(start + 1h);
    refused = 0;
    publish_new("a/later", start + 1h);
    EXPECT_EQ(refused, 0u);
}

TEST(MemoryBroker, to_ask_for_a_channels_history_makes_no_channel) {
    MemoryBroker broker{1};
    broker.history("a/x", {}, start, [](auto page) { EXPECT_TRUE(page->messages.empty() && !page->next); });
    broker.look_up("a/x", "1", start, [](auto record) { EXPECT_EQ(record.error().code, base::ErrorCode::not_found); });
    EXPECT_EQ(broker.channels(), 0u);
}

TEST(MemoryBroker, a_rewind_is_bounded_in_bytes_and_says_so) {
    MemoryBroker broker{1};
    for (int i = 0; i < 100; ++i) publish(broker, "a/x", 60'000, start);
    broker.replay("a/x", {.last_messages = 100}, start, [](auto replay) {
        std::size_t bytes = 0;
        for (const auto& each : replay->entries) bytes += each->bytes;
        EXPECT_LE(bytes, base::limits::rewind_bytes_max);
        EXPECT_GE(replay->entries.size(), 15u);  // about 1 MiB of 60 KB each
        EXPECT_TRUE(replay->truncated);
        EXPECT_EQ(replay->entries.back()->position, replay->tail);
    });
    broker.replay("a/x", {.last_messages = 10}, start, [](auto replay) { EXPECT_FALSE(replay->truncated); });
}
