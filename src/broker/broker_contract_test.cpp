#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "broker/memory_broker.hpp"

/// What any broker owes its callers. A new one is added to the list at the end.
namespace broker {
namespace {

constexpr std::uint64_t epoch = 1'000;
const Time start = base::from_ms(1'800'000'000'000);
using namespace std::chrono_literals;

Draft draft(std::string data, std::string id = {}) {
    Draft made;
    made.message.action = protocol::Action::message;
    made.message.messages.push_back({.id = std::move(id), .data = std::move(data)});
    return made;
}

Draft change(WalPlace place, std::string data, Time committed) {
    auto made = draft(std::move(data), to_id(place));
    made.message.timestamp = base::to_ms(committed);
    made.place = place;
    return made;
}

std::string data_of(const protocol::Message& message) { return std::get<std::string>(message.data); }

class BrokerContract : public testing::TestWithParam<std::unique_ptr<Broker> (*)()> {
protected:
    Published publish(Draft made) {
        std::optional<Published> answer;
        broker->publish("app/room", std::move(made), now, [&](Result<Published> result) { answer = result.value(); });
        return answer.value();
    }
    Replay replay(From from) {
        std::optional<Replay> answer;
        broker->replay("app/room", from, now, [&](Result<Replay> result) { answer = std::move(result).value(); });
        return answer.value();
    }
    HistoryPage history(HistoryQuery query) {
        std::optional<HistoryPage> answer;
        broker->history("app/room", query, now, [&](Result<HistoryPage> result) { answer = std::move(result).value(); });
        return answer.value();
    }
    static std::vector<std::string> data_of(const Replay& replay) {
        std::vector<std::string> all;
        for (const auto& entry : replay.entries) all.push_back(broker::data_of(entry->message.messages.front()));
        return all;
    }
    static std::vector<std::string> data_of(const HistoryPage& page) {
        std::vector<std::string> all;
        for (const auto& message : page.messages) all.push_back(broker::data_of(message));
        return all;
    }

    std::unique_ptr<Broker> broker = GetParam()();
    Time now = start;
};

using Data = std::vector<std::string>;

TEST_P(BrokerContract, positions_and_serials_increase_within_a_channel) {
    Position last{};
    std::string last_serial;
    for (int i = 0; i < 100; ++i) {
        const auto entry = publish(draft("x")).entry;
        EXPECT_GT(entry->position, last);
        EXPECT_GT(entry->message.channel_serial, last_serial);
        EXPECT_EQ(parse_serial(entry->message.channel_serial), entry->position);
        last = entry->position;
        last_serial = entry->message.channel_serial;
    }
}

TEST_P(BrokerContract, RSL1k_an_id_is_ordered_once) {
    const auto first = publish(draft("a", "conn:0:0"));
    publish(draft("b"));
    const auto again = publish(draft("a", "conn:0:0"));
    EXPECT_FALSE(first.duplicate);
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.entry, first.entry);
    EXPECT_EQ(data_of(replay({.since = start})), (Data{"a", "b"}));
}

TEST_P(BrokerContract, RSL1k_an_id_is_its_publishers_own) {
    const auto from = [](std::string client_id, std::string data) {
        auto made = draft(std::move(data), "conn:0:0");
        made.message.messages.front().client_id = std::move(client_id);
        return made;
    };
    EXPECT_FALSE(publish(from("eve", "first")).duplicate);
    EXPECT_FALSE(publish(from("ann", "hers")).duplicate);
    EXPECT_TRUE(publish(from("ann", "hers")).duplicate);
    EXPECT_EQ(data_of(replay({.since = start})), (Data{"first", "hers"}));
}

TEST_P(BrokerContract, D3_a_change_is_ordered_once_and_its_serial_names_its_place_in_the_wal) {
    broker->start_at("app/room", {100, 0});
    const auto first = publish(change({200, 1}, "a", now));
    EXPECT_EQ(first.entry->message.channel_serial, "w00000000000000c8-00000001");
    publish(change({200, 2}, "b", now));
    EXPECT_TRUE(publish(change({200, 1}, "a", now)).duplicate);
    EXPECT_TRUE(publish(change({150, 1}, "older", now)).duplicate);
    EXPECT_EQ(data_of(replay({.since = start})), (Data{"a", "b"}));
}

TEST_P(BrokerContract, RTL4c1_a_replay_after_a_position_is_all_that_came_behind_it) {
    const auto before = replay({}).tail;
    const auto a = publish(draft("a")).entry;
    publish(draft("b"));
    const auto c = publish(draft("c")).entry;
    EXPECT_EQ(data_of(replay({.after = a->position})), (Data{"b", "c"}));
    EXPECT_EQ(data_of(replay({.after = before})), (Data{"a", "b", "c"}));
    const auto nothing = replay({.after = c->position});
    EXPECT_TRUE(nothing.entries.empty() && nothing.complete);
    EXPECT_EQ(nothing.tail, c->position);
}

TEST_P(BrokerContract, RTL4c1_a_replay_is_not_complete_once_the_window_has_passed) {
    const auto a = publish(draft("a")).entry;
    publish(draft("b"));
    now += base::limits::retention + 1s;
    const auto c = publish(draft("c")).entry;
    EXPECT_FALSE(replay({.after = a->position}).complete);
    EXPECT_TRUE(replay({.after = c->position}).complete);
}

TEST_P(BrokerContract, a_position_that_is_not_ours_is_never_complete) {
    publish(draft("a"));
    EXPECT_FALSE(replay({.after = Position{.wal = {}, .epoch = epoch - 1, .count = 3}}).complete);
    EXPECT_FALSE(replay({.after = Position{.wal = {}, .epoch = epoch, .count = 999}}).complete);
    EXPECT_FALSE(replay({.after = Position{.wal = {7, 1}}}).complete);
}

TEST_P(BrokerContract, D3_after_a_restart_a_place_in_the_wal_still_resumes) {
    broker->start_at("app/room", {100, 1});                    // the process before us had published up to here
    publish(change({200, 1}, "a", now));
    publish(change({300, 1}, "b", now));
    EXPECT_EQ(data_of(replay({.after = Position{.wal = {100, 1}}})), (Data{"a", "b"}));
    EXPECT_EQ(data_of(replay({.after = Position{.wal = {200, 1}}})), Data{"b"});
    EXPECT_TRUE(replay({.after = Position{.wal = {200, 1}}}).complete);
    const Position presence_of_the_process_before{.wal = {200, 1}, .epoch = epoch - 1, .count = 9};
    EXPECT_EQ(data_of(replay({.after = presence_of_the_process_before})), Data{"b"});
    EXPECT_FALSE(replay({.after = Position{.wal = {50, 1}}}).complete);
}

TEST_P(BrokerContract, D3_own_entries_stand_between_changes) {
    broker->start_at("app/room", {100, 0});
    const auto own = publish(draft("own")).entry;
    publish(change({200, 1}, "change", now));
    EXPECT_EQ(data_of(replay({.after = Position{.wal = {100, 0}}})), (Data{"own", "change"}));
    EXPECT_EQ(data_of(replay({.after = own->position})), Data{"change"});
}

TEST_P(BrokerContract, rewind_by_count_and_by_time) {
    for (const char* data : {"a", "b", "c"}) {
        publish(draft(data));
        now += 10s;
    }
    EXPECT_EQ(data_of(replay({.last_messages = 2})), (Data{"b", "c"}));
    EXPECT_EQ(data_of(replay({.last_messages = 50})), (Data{"a", "b", "c"}));
    EXPECT_EQ(data_of(replay({.since = now - 15s})), Data{"c"});
    EXPECT_EQ(data_of(replay({})), Data{});
}

TEST_P(BrokerContract, D5_a_replay_is_bounded_and_one_that_does_not_fit_is_not_complete) {
    const auto before = replay({}).tail;
    for (int i = 0; i < 200; ++i) publish(draft(std::string(50'000, 'x')));
    const auto all = replay({.after = before});
    EXPECT_FALSE(all.complete);
    EXPECT_TRUE(all.entries.empty());
    EXPECT_EQ(all.start, all.tail);
    EXPECT_EQ(replay({.last_messages = 100}).entries.size(), 100u);
}

TEST_P(BrokerContract, RSL2b_history_pages_in_both_directions) {
    for (const char* data : {"a", "b", "c", "d", "e"}) publish(draft(data));
    auto page = history({.limit = 2});
    EXPECT_EQ(data_of(page), (Data{"e", "d"}));
    page = history({.after = page.next, .limit = 2});
    EXPECT_EQ(data_of(page), (Data{"c", "b"}));
    page = history({.after = page.next, .limit = 2});
    EXPECT_EQ(data_of(page), Data{"a"});
    EXPECT_EQ(page.next, std::nullopt);

    page = history({.direction = Direction::forwards, .limit = 4});
    EXPECT_EQ(data_of(page), (Data{"a", "b", "c", "d"}));
    EXPECT_EQ(data_of(history({.after = page.next, .direction = Direction::forwards})), Data{"e"});
}

TEST_P(BrokerContract, RSL2b_history_keeps_to_its_times_and_RTL10b_to_the_attach_point) {
    const auto a = publish(draft("a")).entry;
    now += 1s;
    publish(draft("b"));
    now += 1s;
    publish(draft("c"));
    EXPECT_EQ(data_of(history({.start = start + 1s})), (Data{"c", "b"}));
    EXPECT_EQ(data_of(history({.end = start + 1s})), (Data{"b", "a"}));
    EXPECT_EQ(data_of(history({.until = a->position})), Data{"a"});
}

TEST_P(BrokerContract, RSL2b_a_page_may_end_within_one_publish) {
    auto batch = draft("a");
    batch.message.messages.push_back({.data = "b"});
    batch.message.messages.push_back({.data = "c"});
    publish(std::move(batch));
    const auto page = history({.limit = 2});
    EXPECT_EQ(data_of(page), (Data{"c", "b"}));
    EXPECT_EQ(data_of(history({.after = page.next})), Data{"a"});
}

INSTANTIATE_TEST_SUITE_P(Memory, BrokerContract,
                         testing::Values(+[]() -> std::unique_ptr<Broker> { return std::make_unique<MemoryBroker>(epoch); }));

}  // namespace
}  // namespace broker
