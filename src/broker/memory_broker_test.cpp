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
    EXPECT_EQ(kept.entries.size(), 6u);  // 1,000 bytes of data and 512 of overhead each
    EXPECT_EQ(kept.entries.back()->position.count, 100u);
}

TEST(MemoryBroker, empty_messages_weigh_too) {
    MemoryBroker broker{1, {.channel_bytes_max = 100'000}};
    Draft draft;
    draft.message.action = protocol::Action::message;
    draft.message.messages.resize(100);
    for (int i = 0; i < 10; ++i) broker.publish("a/x", draft, start, [](auto result) { ASSERT_TRUE(result); });
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

TEST(MemoryBroker, a_channel_a_database_feeds_keeps_its_tail) {
    MemoryBroker broker{1};
    broker.start_at("a/x", {100, 1});
    broker.sweep(start + 1h);
    bool complete = false;
    broker.replay("a/x", {.after = Position{.wal = {100, 1}}}, start + 1h, [&](auto result) { complete = result->complete; });
    EXPECT_TRUE(complete);
}
