#include "realtime/rollup.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace realtime {
namespace {

using namespace std::chrono_literals;
using protocol::Message;
using protocol::MessageAction;

const Time start = base::from_ms(1'800'000'000'000);

class RollupTest : public testing::Test {
protected:
    static broker::Draft append(std::string data, const std::string& serial = "s", const std::string& channel = "room") {
        Message message{.data = std::move(data), .action = MessageAction::append, .serial = serial};
        message.version = protocol::MessageVersion{.client_id = "ann"};
        broker::Draft draft;
        draft.message = {.action = protocol::Action::message, .channel = channel, .messages = {std::move(message)}};
        draft.change = broker::Change{.any = true, .bytes_max = 100'000};
        return draft;
    }
    /// What leaves when this comes, as "data: msgSerials".
    std::vector<std::string> add(broker::Draft draft, Time now = start) {
        EXPECT_TRUE(rollup.takes(draft));
        Rollup::Out out;
        rollup.add(next_serial_++, std::move(draft), now, out);
        return said(out);
    }
    std::vector<std::string> end_windows(Time now) {
        Rollup::Out out;
        rollup.end_windows(now, out);
        return said(out);
    }
    static std::vector<std::string> said(const Rollup::Out& out) {
        std::vector<std::string> all;
        for (const auto& each : out) {
            auto text = std::get<std::string>(each.draft.message.messages.front().data) + ":";
            for (const auto serial : each.msg_serials) text += " " + std::to_string(serial);
            all.push_back(std::move(text));
        }
        return all;
    }
    using Said = std::vector<std::string>;

    Rollup rollup{40ms};

private:
    std::int64_t next_serial_ = 0;
};

TEST_F(RollupTest, the_first_leaves_at_once_and_those_behind_it_as_one_when_the_window_ends) {
    EXPECT_EQ(add(append("a")), Said{"a: 0"});
    EXPECT_EQ(add(append("b"), start + 1ms), Said{});
    EXPECT_EQ(add(append("c"), start + 39ms), Said{});
    EXPECT_EQ(rollup.next_end(), start + 40ms);
    EXPECT_EQ(end_windows(start + 39ms), Said{});
    EXPECT_EQ(end_windows(start + 40ms), Said{"bc: 1 2"});
    EXPECT_EQ(add(append("d"), start + 50ms), Said{});
    EXPECT_EQ(end_windows(start + 80ms), Said{"d: 3"});
    EXPECT_EQ(end_windows(start + 120ms), Said{});
    EXPECT_TRUE(rollup.empty());
    EXPECT_EQ(add(append("e"), start + 121ms), Said{"e: 4"});
}

TEST_F(RollupTest, a_window_that_nobody_ended_in_time_ends_when_the_next_comes) {
    add(append("a"));
    add(append("b"));
    EXPECT_EQ(add(append("c"), start + 40ms), (Said{"b: 1", "c: 2"}));
}

TEST_F(RollupTest, messages_and_channels_are_apart_and_what_is_not_an_append_is_not_taken) {
    EXPECT_EQ(add(append("a")), Said{"a: 0"});
    EXPECT_EQ(add(append("b", "other")), Said{"b: 1"});
    EXPECT_EQ(add(append("c", "s", "elsewhere")), Said{"c: 2"});
    add(append("d"));
    add(append("e", "other"));
    add(append("f", "s", "elsewhere"));
    Rollup::Out out;
    rollup.flush("room", out);
    EXPECT_EQ(said(out), (Said{"e: 4", "d: 3"}));
    out.clear();
    rollup.flush_all(out);
    EXPECT_EQ(said(out), Said{"f: 5"});

    auto update = append("x");
    update.message.messages.front().action = MessageAction::update;
    EXPECT_FALSE(rollup.takes(update));
    EXPECT_FALSE(Rollup{}.takes(append("x")));
}

TEST_F(RollupTest, what_cannot_be_joined_leaves_in_its_order) {
    add(append("a"));
    add(append("b"));
    auto encoded = append("c");
    encoded.message.messages.front().encoding = "json";
    EXPECT_EQ(add(std::move(encoded)), Said{"b: 1"});
    auto by_another = append("d");
    by_another.message.messages.front().encoding = "json";
    by_another.message.messages.front().version->client_id = "bob";
    EXPECT_EQ(add(std::move(by_another)), Said{"c: 2"});
    auto of_a_version = append("e");
    of_a_version.change->expected_version = "v";
    EXPECT_EQ(add(std::move(of_a_version)), Said{"d: 3"});
    EXPECT_EQ(add(append(std::string(100'000, 'x'))), Said{"e: 4"});
}

TEST_F(RollupTest, of_all_but_the_data_the_last_counts) {
    add(append("a"));
    auto first = append("b"), second = append("c");
    first.message.messages.front().extras.text = R"({"n":1})";
    first.message.messages.front().version->description = "why";
    second.message.messages.front().extras.text = R"({"n":2})";
    add(std::move(first));
    add(std::move(second));
    Rollup::Out out;
    rollup.flush_all(out);
    const auto& message = out.at(0).draft.message.messages.front();
    EXPECT_EQ(message.extras.text, R"({"n":2})");
    EXPECT_EQ(message.version->description, "why");
}

TEST_F(RollupTest, is_bounded_in_windows_and_bytes) {
    for (std::size_t i = 0; i < rollup_windows_max; ++i) add(append("a", "s" + std::to_string(i)));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(add(append("b", "one more")).size(), 1u);
    const std::string large(rollup_bytes_max / 4, 'x');
    std::size_t left = 0;
    for (std::size_t i = 0; i < 8; ++i) left += add(append(large, "s" + std::to_string(i))).size();
    EXPECT_GE(left, 3u);
}

}  // namespace
}  // namespace realtime
