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
    base::ErrorCode refusal(Draft made) {
        std::optional<base::ErrorCode> code;
        broker->publish("app/room", std::move(made), now, [&](Result<Published> result) { code = result.error().code; });
        return code.value();
    }
    Result<Record> look_up(std::string serial) {
        std::optional<Result<Record>> answer;
        broker->look_up("app/room", std::move(serial), now, [&](Result<Record> result) { answer = std::move(result); });
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

TEST_P(BrokerContract, D3_what_clients_said_before_the_start_is_kept_and_stands_before_it) {
    const auto own = publish(draft("own")).entry;
    broker->start_at("app/room", {100, 0});
    publish(change({200, 1}, "change", now));
    EXPECT_EQ(data_of(replay({.after = own->position})), Data{"change"});
    EXPECT_EQ(data_of(replay({.last_messages = 5})), (Data{"own", "change"}));
    EXPECT_FALSE(replay({.after = Position{.wal = {50, 1}}}).complete);
}

TEST_P(BrokerContract, D3_a_channel_below_a_prefix_starts_where_all_of_them_do_unless_more_is_known) {
    broker->start_under("app/", {100, 0}, /*all=*/true);
    broker->start_at("app/room", {150, 2});
    EXPECT_TRUE(replay({.after = Position{.wal = {150, 2}}}).complete);
    EXPECT_FALSE(replay({.after = Position{.wal = {100, 0}}}).complete);
    std::optional<Replay> other;
    broker->replay("app/other", {.after = Position{.wal = {100, 0}}}, now, [&](Result<Replay> result) { other = result.value(); });
    EXPECT_TRUE(other->complete);
}

TEST_P(BrokerContract, D3_a_channel_that_gets_its_first_change_only_now_starts_before_it) {
    broker->start_under("app/", {100, 0}, /*all=*/false);
    const auto own = publish(draft("own")).entry;
    EXPECT_EQ(own->position.wal, WalPlace{});
    EXPECT_TRUE(publish(change({90, 1}, "of the past", now)).duplicate);
    publish(change({200, 1}, "change", now));
    EXPECT_FALSE(replay({.after = Position{.wal = {90, 1}}}).complete);
    EXPECT_EQ(data_of(replay({.after = Position{.wal = {100, 0}}})), Data{"change"});
    EXPECT_EQ(data_of(replay({.after = own->position})), Data{"change"});
}

TEST_P(BrokerContract, D3_behind_missing_changes_nobody_goes_on_from_before_them) {
    broker->start_at("app/room", {100, 0});
    publish(change({200, 1}, "a", now));
    const auto own = publish(draft("own")).entry;
    broker->interrupt("app/room", /*is_prefix=*/false, {300, 0});
    EXPECT_FALSE(replay({.after = Position{.wal = {200, 1}}}).complete);
    EXPECT_FALSE(replay({.after = own->position}).complete);
    EXPECT_FALSE(replay({.after = Position{}}).complete);
    EXPECT_TRUE(publish(change({250, 1}, "older", now)).duplicate);
    publish(change({300, 1}, "b", now));
    EXPECT_EQ(data_of(replay({.after = Position{.wal = {300, 0}}})), Data{"b"});
    EXPECT_EQ(data_of(replay({.last_messages = 5})), Data{"b"});
}

TEST_P(BrokerContract, D3_changes_may_be_missing_on_all_channels_below_a_prefix) {
    broker->start_under("app/r", {100, 0}, /*all=*/true);
    publish(change({200, 1}, "a", now));
    const auto complete = [&](const std::string& address, WalPlace place) {
        std::optional<Replay> found;
        broker->replay(address, {.after = Position{.wal = place}}, now, [&](Result<Replay> result) { found = result.value(); });
        return found->complete;
    };
    broker->interrupt("app/r", /*is_prefix=*/true, {300, 0});
    EXPECT_FALSE(complete("app/room", {200, 1}));
    EXPECT_FALSE(complete("app/rare", {100, 0})) << "nobody used it yet";
    EXPECT_TRUE(complete("app/rare", {300, 0}));
    EXPECT_TRUE(complete("app/room", {300, 0}));
}

// ---- rows of a table

namespace {

Draft row(WalPlace place, protocol::MessageAction action, std::string serial, std::string data) {
    auto made = change(place, std::move(data), start);
    auto& message = made.message.messages.front();
    message.action = action;
    message.serial = std::move(serial);
    message.version.emplace().timestamp = base::to_ms(start);
    made.rows = true;
    return made;
}
using enum protocol::MessageAction;

}  // namespace

TEST_P(BrokerContract, a_rows_changes_are_its_messages_versions) {
    publish(row({100, 1}, create, "r1", "one"));
    publish(row({100, 2}, create, "r2", "two"));
    const auto changed = publish(row({200, 1}, update, "r1", "ein")).entry;
    EXPECT_EQ(changed->message.messages.front().serial, "r1");
    EXPECT_EQ(changed->message.messages.front().version->serial, "w00000000000000c8-00000001:000");
    EXPECT_TRUE(publish(row({200, 1}, update, "r1", "ein")).duplicate);
    EXPECT_EQ(data_of(history({})), (Data{"two", "ein"}));
    EXPECT_EQ(data_of(replay({.last_messages = 5})), (Data{"ein", "two"}));
    EXPECT_EQ(data_of(replay({.after = Position{.wal = {100, 2}}})), (Data{"ein"}));
    const auto record = look_up("r1").value();
    EXPECT_EQ(broker::data_of(record.latest), "ein");
    EXPECT_EQ(record.versions.size(), 2u);
}

TEST_P(BrokerContract, an_update_of_a_row_that_is_not_held_is_an_update_and_the_first_that_is_known_of_it) {
    const auto entry = publish(row({100, 1}, update, "r1", "one")).entry;
    EXPECT_EQ(entry->message.messages.front().action, update);
    publish(row({200, 1}, update, "r1", "two"));
    EXPECT_EQ(data_of(history({})), Data{"two"});
    EXPECT_EQ(look_up("r1").value().versions.size(), 2u);
    publish(row({300, 1}, remove, "r2", "never heard of"));
    EXPECT_EQ(data_of(history({})), Data{"two"});
    EXPECT_EQ(look_up("r2").error().code, base::ErrorCode::not_found);
}

TEST_P(BrokerContract, a_row_that_is_deleted_and_inserted_again_is_a_new_message_of_the_same_serial) {
    publish(row({100, 1}, create, "r1", "one"));
    publish(row({200, 1}, remove, "r1", "gone"));
    publish(row({300, 1}, create, "r1", "again"));
    EXPECT_EQ(data_of(history({})), Data{"again"});
    EXPECT_EQ(look_up("r1").value().versions.size(), 1u);
}

TEST_P(BrokerContract, a_row_whose_key_changes_is_deleted_and_created_in_one) {
    publish(row({100, 1}, create, "r1", "one"));
    auto both = row({200, 1}, remove, "r1", "one");
    both.message.messages.push_back(row({200, 1}, create, "r2", "two").message.messages.front());
    publish(std::move(both));
    EXPECT_EQ(data_of(history({})), (Data{"two", "one"}));
    EXPECT_EQ(look_up("r1").value().latest.action, remove);
    EXPECT_EQ(look_up("r2").value().versions.size(), 1u);
    now += base::limits::retention + 1s;
    EXPECT_EQ(look_up("r1").error().code, base::ErrorCode::not_found);
}

TEST_P(BrokerContract, a_client_may_annotate_and_update_a_row) {
    publish(row({100, 1}, create, "r1", "one"));
    Draft edit;
    edit.message = {.action = protocol::Action::message};
    edit.message.messages.push_back({.data = "by hand", .action = update, .serial = "r1"});
    edit.change = Change{.any = true, .bytes_max = 1'000};
    publish(std::move(edit));
    EXPECT_EQ(broker::data_of(look_up("r1").value().latest), "by hand");
}

TEST_P(BrokerContract, rewind_by_count_and_by_time) {
    for (const char* data : {"a", "b", "c"}) {
        publish(draft(data));
        now += 10s;
    }
    EXPECT_EQ(data_of(replay({.last_messages = 2})), (Data{"b", "c"}));
    EXPECT_EQ(data_of(replay({.last_messages = 50})), (Data{"a", "b", "c"}));
    EXPECT_EQ(data_of(replay({.since = now - 15s})), Data{"c"});
    EXPECT_EQ(data_of(replay({.last_messages = 2, .since = now - 15s})), Data{"c"});
    EXPECT_EQ(data_of(replay({.last_messages = 2, .since = now - 35s})), (Data{"b", "c"}));
    EXPECT_EQ(data_of(replay({})), Data{});
}

TEST_P(BrokerContract, a_rewind_by_time_gives_so_many_messages_at_most_and_says_when_there_were_more) {
    const auto then = now;
    for (std::size_t i = 0; i < base::limits::rewind_messages_max; ++i) publish(draft(std::to_string(i)));
    EXPECT_FALSE(replay({.since = then}).truncated);
    EXPECT_EQ(replay({.since = then}).entries.size(), base::limits::rewind_messages_max);
    publish(draft("last"));
    EXPECT_TRUE(replay({.since = then}).truncated);
    EXPECT_EQ(replay({.since = then}).entries.size(), base::limits::rewind_messages_max);
    EXPECT_EQ(data_of(replay({.since = then})).back(), "last");
    EXPECT_FALSE(replay({.last_messages = 5, .since = then}).truncated);  // as it was asked for
    EXPECT_FALSE(replay({.last_messages = 5}).truncated);
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

// --- changes and annotations ------------------------------------------------------------------------------------------------

Draft operation(std::string serial, protocol::MessageAction action, std::string data, std::string id = {}) {
    auto made = draft(std::move(data), std::move(id));
    auto& message = made.message.messages.front();
    message.action = action;
    message.serial = std::move(serial);
    message.version = protocol::MessageVersion{.client_id = "ann"};
    made.change = Change{.any = true, .bytes_max = 1'000};
    return made;
}

Draft annotation(std::string serial, std::string client_id, std::string name) {
    Draft made;
    made.message.action = protocol::Action::annotation;
    made.message.annotations.push_back(
        {.client_id = std::move(client_id), .name = std::move(name), .message_serial = std::move(serial), .type = "tag:distinct.v1"});
    return made;
}

TEST_P(BrokerContract, RSL15_a_change_is_ordered_and_has_the_message_whole_and_a_version_of_its_own) {
    const auto first = publish(draft("one")).entry;
    const auto serial = first->message.messages[0].serial;
    publish(draft("two"));
    const auto changed = publish(operation(serial, protocol::MessageAction::update, "one!")).entry;
    const auto& told = changed->message.messages[0];
    EXPECT_EQ(told.serial, serial);
    EXPECT_EQ(broker::data_of(told), "one!");
    EXPECT_EQ(told.timestamp, first->message.timestamp);
    EXPECT_EQ(told.version->serial, to_serial(Cursor{changed->position, 0}));
    EXPECT_GT(told.version->serial, serial);
    EXPECT_GT(told.version->timestamp, told.timestamp);
    EXPECT_EQ(told.version->client_id, "ann");
}

TEST_P(BrokerContract, RTL4k_who_comes_later_sees_messages_as_they_are_where_they_were) {
    const auto serial = publish(draft("one")).entry->message.messages[0].serial;
    const auto before = publish(draft("two")).entry->position;
    publish(operation(serial, protocol::MessageAction::update, "one!"));
    EXPECT_EQ(data_of(history({})), (std::vector<std::string>{"two", "one!"}));
    EXPECT_EQ(history({}).messages[1].action, protocol::MessageAction::update);
    EXPECT_EQ(data_of(replay({.last_messages = 5})), (std::vector<std::string>{"one!", "two"}));
    EXPECT_EQ(data_of(replay({.last_messages = 1})), (std::vector<std::string>{"two"}));
    EXPECT_EQ(data_of(replay({.since = start})), (std::vector<std::string>{"one!", "two"}));
    EXPECT_EQ(data_of(replay({.after = before})), (std::vector<std::string>{"one!"}));  // who resumes is told what happened
}

TEST_P(BrokerContract, what_is_appended_is_told_as_such_and_kept_whole) {
    const auto serial = publish(draft("a")).entry->message.messages[0].serial;
    const auto told = publish(operation(serial, protocol::MessageAction::append, "b")).entry->message.messages[0];
    EXPECT_EQ(broker::data_of(told), "b");
    EXPECT_EQ(told.action, protocol::MessageAction::append);
    publish(operation(serial, protocol::MessageAction::append, "c"));
    publish(operation(serial, protocol::MessageAction::remove, ""));
    EXPECT_EQ(history({}).messages.at(0).action, protocol::MessageAction::remove);
    std::vector<std::string> versions;
    const auto record = look_up(serial).value();
    for (const auto& version : record.versions) versions.push_back(broker::data_of(version));
    EXPECT_EQ(versions, (std::vector<std::string>{"a", "ab", "abc", ""}));
    EXPECT_EQ(record.versions.back(), record.latest);
}

TEST_P(BrokerContract, a_change_said_twice_is_made_once) {
    const auto serial = publish(draft("a")).entry->message.messages[0].serial;
    const auto first = publish(operation(serial, protocol::MessageAction::append, "b", "op"));
    const auto again = publish(operation(serial, protocol::MessageAction::append, "b", "op"));
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.entry, first.entry);
    EXPECT_EQ(broker::data_of(look_up(serial)->latest), "ab");
}

TEST_P(BrokerContract, only_what_is_held_can_be_changed_or_looked_up) {
    const auto serial = publish(draft("a")).entry->message.messages[0].serial;
    const auto version = publish(operation(serial, protocol::MessageAction::update, "b")).entry->message.messages[0].version->serial;
    for (const auto& none : {std::string{"nonsense"}, serial + "1", version}) {
        EXPECT_EQ(look_up(none).error().code, base::ErrorCode::not_found) << none;
        EXPECT_EQ(refusal(operation(none, protocol::MessageAction::update, "b")), base::ErrorCode::not_found) << none;
        EXPECT_EQ(refusal(annotation(none, "ann", "x")), base::ErrorCode::not_found) << none;
    }
    now += base::limits::retention + 1s;
    EXPECT_EQ(look_up(serial).error().code, base::ErrorCode::not_found);
}

TEST_P(BrokerContract, TM2u_annotations_are_summed_up_behind_them_and_in_history) {
    const auto serial = publish(draft("a")).entry->message.messages[0].serial;
    const auto said = publish(annotation(serial, "ann", "x"));
    EXPECT_EQ(said.entry->message.annotations[0].serial, to_serial(Cursor{said.entry->position, 0}));
    const auto& summary = said.summary->message.messages.at(0);
    const std::string counted = R"({"summary":{"tag:distinct.v1":{"x":{"total":1,"clientIds":["ann"],"clipped":false}}}})";
    EXPECT_EQ(summary.serial, serial);
    EXPECT_EQ(summary.action, protocol::MessageAction::summary);
    EXPECT_EQ(summary.annotations.text, counted);
    EXPECT_GT(said.summary->position, said.entry->position);
    EXPECT_EQ(data_of(history({})), (std::vector<std::string>{"a"}));
    EXPECT_EQ(history({}).messages[0].annotations.text, counted);
    EXPECT_EQ(replay({.last_messages = 9}).entries.size(), 1u);
    EXPECT_EQ(replay({.after = Position{.epoch = epoch}}).entries.size(), 3u);
    publish(operation(serial, protocol::MessageAction::update, "b"));
    EXPECT_EQ(history({}).messages[0].annotations.text, counted);
    EXPECT_EQ(look_up(serial)->annotations.size(), 1u);
}

TEST_P(BrokerContract, who_resumes_is_told_every_annotation_and_what_they_add_up_to_once) {
    const auto first = publish(draft("a")).entry->message.messages[0].serial;
    const auto second = publish(draft("b")).entry->message.messages[0].serial;
    const auto before = publish(annotation(first, "ann", "x")).entry->position;
    publish(annotation(second, "ann", "x"));
    for (const char* client : {"bob", "carl"}) publish(annotation(first, client, "x"));
    const auto behind = replay({.after = before});
    EXPECT_TRUE(behind.complete);
    std::vector<std::string> told;
    for (const auto& entry : behind.entries) {
        for (const auto& each : entry->message.annotations) told.push_back(each.client_id);
        for (const auto& each : entry->message.messages) told.push_back(each.annotations.text);
    }
    const auto counted = [](std::string_view total, std::string_view clients) {
        return fmt::format(R"({{"summary":{{"tag:distinct.v1":{{"x":{{"total":{},"clientIds":[{}],"clipped":false}}}}}}}})", total,
                           clients);
    };
    EXPECT_EQ(told, (std::vector<std::string>{"ann", counted("1", R"("ann")"), "bob", "carl", counted("3", R"("ann","bob","carl")")}));
}

TEST_P(BrokerContract, annotations_that_add_up_to_nothing_are_ordered_and_listed_without_a_summary) {
    const auto serial = publish(draft("a")).entry->message.messages[0].serial;
    auto comment = annotation(serial, "", "");
    comment.message.annotations.front().type = "com.example.comments";
    comment.message.annotations.front().data = "well said";
    const auto said = publish(std::move(comment));
    EXPECT_EQ(said.summary, nullptr);
    EXPECT_EQ(said.latest->annotations.text, "");
    EXPECT_EQ(look_up(serial)->annotations, annotations_of(*said.entry));
    EXPECT_EQ(history({}).messages[0].annotations.text, "");
    publish(annotation(serial, "ann", "x"));
    EXPECT_EQ(look_up(serial)->annotations.size(), 2u);
}

TEST_P(BrokerContract, a_change_may_be_described_at_length_and_the_message_still_grows_to_its_bound) {
    const auto serial = publish(draft(std::string(1'000, 'x'))).entry->message.messages[0].serial;
    auto removal = operation(serial, protocol::MessageAction::remove, "");
    removal.message.messages.front().data = {};
    removal.message.messages.front().version->description = std::string(1'000, 'd');
    EXPECT_EQ(publish(std::move(removal)).latest->version->description.size(), 1'000u);
    EXPECT_EQ(refusal(operation(serial, protocol::MessageAction::append, "x")), base::ErrorCode::message_too_large);
}

TEST_P(BrokerContract, a_message_is_not_changed_into_one_that_fits_no_frame) {
    const auto serial = publish(draft("x")).entry->message.messages[0].serial;
    auto made = operation(serial, protocol::MessageAction::update, std::string(100'000, '\1'));
    made.change->bytes_max = 200'000;
    EXPECT_EQ(refusal(std::move(made)), base::ErrorCode::message_too_large);
}

TEST_P(BrokerContract, versions_are_the_last_of_so_many_bytes) {
    const auto append = [&](const std::string& serial, std::size_t size) {
        auto made = operation(serial, protocol::MessageAction::append, std::string(size, 'x'));
        made.change->bytes_max = 65'536;
        return publish(std::move(made)).latest->version->serial;
    };
    const auto serial = publish(draft("x")).entry->message.messages[0].serial;
    append(serial, 60'000);
    std::string last;
    for (int i = 0; i < 400; ++i) last = append(serial, 1);
    const auto record = look_up(serial).value();
    std::size_t bytes = 0;
    for (const auto& version : record.versions) bytes += size_of(version);
    EXPECT_LE(bytes, base::limits::versions_bytes_max);
    EXPECT_GE(bytes, base::limits::versions_bytes_max / 4);
    EXPECT_EQ(record.versions.back().version->serial, last);
    EXPECT_EQ(record.versions.back(), record.latest);
}

TEST_P(BrokerContract, a_page_ends_before_it_is_too_large_and_goes_on_in_the_next) {
    for (int i = 0; i < 100; ++i) publish(draft(std::string(100'000, 'x')));
    for (const auto direction : {Direction::backwards, Direction::forwards}) {
        std::size_t count = 0;
        std::optional<Cursor> after;
        do {
            const auto page = history({.after = after, .direction = direction, .limit = 1'000});
            EXPECT_LE(page.messages.size() * 100'000, base::limits::page_bytes_max);
            count += page.messages.size();
            after = page.next;
        } while (after);
        EXPECT_EQ(count, 100u);
    }
}

TEST_P(BrokerContract, what_is_ephemeral_is_for_who_listens_or_resumes) {
    const auto before = publish(draft("one")).entry->position;
    auto typing = draft("typing");
    typing.ephemeral = true;
    publish(std::move(typing));
    EXPECT_EQ(data_of(history({})), (std::vector<std::string>{"one"}));
    EXPECT_EQ(data_of(replay({.last_messages = 9})), (std::vector<std::string>{"one"}));
    EXPECT_EQ(data_of(replay({.after = before})), (std::vector<std::string>{"typing"}));
}

INSTANTIATE_TEST_SUITE_P(Memory, BrokerContract,
                         testing::Values(+[]() -> std::unique_ptr<Broker> { return std::make_unique<MemoryBroker>(epoch); }));

}  // namespace
}  // namespace broker
