#include "rest/publish_queue.hpp"

#include <gtest/gtest.h>

namespace rest {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;

/// A queue whose endpoint is the test: what it says of each message in `told`.
class PublishQueueTest : public ::testing::Test {
protected:
    void add(const std::string& channel, std::uint64_t lsn, std::uint32_t index, std::size_t bytes = 1) {
        protocol::Message message{.id = std::to_string(lsn) + "-" + std::to_string(index), .data = std::string(bytes, 'x')};
        const auto id = channel + "/" + message.id;
        queue.add(channel, broker::WalPlace{lsn, index}, std::move(message), [this, id](base::Result<void> result) {
            told.push_back(id + (result ? "" : " " + std::to_string(static_cast<int>(result.error().code))));
        });
    }
    /// `channel: ids` of each parcel of the request that may be made now; "" when none may.
    std::string next() {
        const auto request = queue.next(now);
        if (!request) return "";
        last = request->id;
        parcels = request->parcels;
        std::string text;
        for (std::string_view body = request->body; !body.empty();) {
            const auto take = [&](std::string_view before) {
                const auto at = body.find(before);
                if (at == body.npos) return body = {}, std::string{};
                body.remove_prefix(at + before.size());
                return std::string{body.substr(0, body.find('"'))};
            };
            const auto channel = body.find(R"("channels":[")"), id = body.find(R"("id":")");
            if (channel < id)
                text += (text.empty() ? "" : "; ") + take(R"("channels":[")") + ":";
            else if (id != body.npos)
                text += " " + take(R"("id":")");
            else
                break;
        }
        return text;
    }
    void accept(bool keeps_order = false) { accept(last, parcels, keeps_order); }
    void accept(std::uint64_t id, std::size_t count, bool keeps_order = false) {
        queue.answered(id, {.request = {}, .parcels = std::vector<std::optional<Refusal>>(count), .keeps_order = keeps_order}, now);
    }
    void refuse(Refusal refusal) { queue.answered(last, {.request = std::move(refusal), .parcels = {}}, now); }
    void settle(std::vector<std::optional<Refusal>> each, bool keeps_order = false) {
        queue.answered(last, {.request = {}, .parcels = std::move(each), .keeps_order = keeps_order}, now);
    }

    PublishQueue queue{{.message_bytes_max = 100,
                        .parcel_messages_max = 3,
                        .open_messages_max = 8,
                        .open_bytes_max = 1'000,
                        .request_parcels_max = 4,
                        .request_bytes_max = 10'000,
                        .requests_max = 2}};
    base::Time now{};
    std::uint64_t last = 0;
    std::size_t parcels = 0;
    std::vector<std::string> told;
    static inline const Refusal down{.status = 503, .code = 50300, .message = "down"};
    static inline const Refusal bad{.status = 400, .code = 40013, .message = "bad"};
};

using Told = std::vector<std::string>;

TEST_F(PublishQueueTest, a_transactions_messages_to_a_channel_are_a_parcel_when_it_has_ended) {
    add("a", 1, 1);
    add("b", 1, 2);
    add("a", 1, 3);
    EXPECT_EQ(next(), "");
    queue.commit();
    EXPECT_EQ(next(), "a: 1-1:0 1-1:1; b: 1-2");
    EXPECT_EQ(told, Told{});
    accept();
    EXPECT_EQ(told, (Told{"a/1-1", "a/1-3", "b/1-2"}));
    EXPECT_EQ(queue.size(), 0);
}

TEST_F(PublishQueueTest, the_next_transaction_ends_the_one_before) {
    add("a", 1, 1);
    add("a", 2, 1);
    EXPECT_EQ(next(), "a: 1-1");
}

TEST_F(PublishQueueTest, parcels_are_cut_by_count_and_by_size_whenever_they_are_read) {
    for (std::uint32_t i = 1; i <= 4; ++i) add("a", 1, i);
    EXPECT_EQ(next(), "a: 1-1:0 1-1:1 1-1:2");
    accept();
    add("a", 1, 5, 60);
    add("a", 1, 6, 60);
    EXPECT_EQ(next(), "a: 1-4:0 1-4:1");
    accept();
    queue.commit();
    EXPECT_EQ(next(), "a: 1-6");
}

TEST_F(PublishQueueTest, a_transaction_that_is_larger_than_may_be_in_flight_does_not_wait_for_its_end) {
    for (std::uint32_t i = 1; i <= 8; ++i) add("c" + std::to_string(i), 1, i);
    EXPECT_EQ(next(), "c1: 1-1; c2: 1-2; c3: 1-3; c4: 1-4");
}

TEST_F(PublishQueueTest, a_channels_parcels_go_one_at_a_time_where_nothing_says_that_order_is_kept) {
    add("a", 1, 1);
    add("a", 2, 1);
    add("b", 3, 1);
    queue.commit();
    EXPECT_EQ(next(), "a: 1-1; b: 3-1");
    EXPECT_EQ(next(), "");
    accept();
    EXPECT_EQ(next(), "a: 2-1");
}

TEST_F(PublishQueueTest, they_go_together_where_it_is_kept_up_to_the_bound) {
    add("a", 1, 1);
    add("a", 2, 1);
    queue.commit();
    next();
    accept(true);
    for (std::uint64_t lsn = 3; lsn <= 6; ++lsn) add("a", lsn, 1);
    queue.commit();
    EXPECT_EQ(next(), "a: 2-1; a: 3-1; a: 4-1; a: 5-1");
    EXPECT_EQ(next(), "");
    accept(true);
    EXPECT_EQ(next(), "a: 6-1");
}

TEST_F(PublishQueueTest, channels_do_not_wait_for_each_other_up_to_a_bound) {
    add("a", 1, 1);
    queue.commit();
    EXPECT_EQ(next(), "a: 1-1");
    add("b", 2, 1);
    queue.commit();
    EXPECT_EQ(next(), "b: 2-1");
    add("c", 3, 1);
    queue.commit();
    EXPECT_EQ(next(), "");
    accept();
    EXPECT_EQ(next(), "c: 3-1");
}

TEST_F(PublishQueueTest, what_an_endpoint_that_is_away_did_not_take_is_tried_again_for_ever_as_it_was) {
    add("a", 1, 1);
    add("a", 1, 2);
    queue.commit();
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(next(), "a: 1-1:0 1-1:1");
        refuse(i % 2 ? down : Refusal{.status = 0, .message = "no connection"});
        EXPECT_EQ(next(), "");
        ASSERT_TRUE(queue.wake_at());
        EXPECT_GT(*queue.wake_at(), now);
        EXPECT_LE(*queue.wake_at(), now + 10s);
        now = *queue.wake_at();
    }
    EXPECT_EQ(queue.trouble(), (Refusal{.status = 503, .code = 50300, .message = "down"}));
    next();
    accept();
    EXPECT_EQ(queue.trouble(), std::nullopt);
    EXPECT_EQ(told, (Told{"a/1-1", "a/1-2"}));
}

TEST_F(PublishQueueTest, it_stays_away_as_long_as_it_is_asked_to) {
    add("a", 1, 1);
    queue.commit();
    next();
    refuse({.status = 429, .code = 42910, .message = "slow", .retry_after = 60s});
    EXPECT_EQ(queue.wake_at(), now + 60s);
}

TEST_F(PublishQueueTest, a_wrong_key_loses_nothing) {
    add("a", 1, 1);
    queue.commit();
    next();
    refuse({.status = 401, .code = 40101, .message = "wrong key"});
    EXPECT_EQ(told, Told{});
    EXPECT_EQ(queue.trouble()->code, 40101);
    now += 1min;
    EXPECT_EQ(next(), "a: 1-1");
}

TEST_F(PublishQueueTest, a_channel_that_has_to_wait_keeps_no_other_waiting) {
    add("a", 1, 1);
    add("b", 1, 2);
    queue.commit();
    next();
    settle({Refusal{.status = 429, .code = 42910, .message = "slow"}, std::nullopt});
    add("b", 2, 1);
    add("a", 2, 2);
    queue.commit();
    EXPECT_EQ(next(), "b: 2-1");
    now += 1min;
    EXPECT_EQ(next(), "a: 1-1");
    EXPECT_EQ(told, Told{"b/1-2"});
}

TEST_F(PublishQueueTest, what_is_behind_one_that_failed_stays_behind_it) {
    add("a", 1, 1);
    queue.commit();
    next();
    accept(true);
    for (std::uint64_t lsn = 2; lsn <= 4; ++lsn) add("a", lsn, 1);
    queue.commit();
    EXPECT_EQ(next(), "a: 2-1; a: 3-1; a: 4-1");
    settle({std::nullopt, down, down}, true);
    now += 1min;
    EXPECT_EQ(next(), "a: 3-1; a: 4-1");
    accept(true);
    EXPECT_EQ(told, (Told{"a/1-1", "a/2-1", "a/3-1", "a/4-1"}));
}

TEST_F(PublishQueueTest, a_message_that_can_never_be_taken_is_found_and_passed_by) {
    for (std::uint32_t i = 1; i <= 3; ++i) add("a", 1, i);
    add("a", 2, 1);
    queue.commit();
    EXPECT_EQ(next(), "a: 1-1:0 1-1:1 1-1:2");
    settle({bad}, true);
    EXPECT_EQ(next(), "a: 1-1:0; a: 1-1:1; a: 1-1:2; a: 2-1");
    settle({std::nullopt, bad, down, down}, true);
    EXPECT_EQ(next(), "a: 1-1:2; a: 2-1");
    accept(true);
    EXPECT_EQ(told, (Told{"a/1-1", "a/1-2 40013", "a/1-3", "a/2-1"}));
}

TEST_F(PublishQueueTest, a_request_that_can_never_be_taken_is_made_in_pieces) {
    add("a", 1, 1);
    add("a", 1, 2);
    add("b", 1, 3);
    queue.commit();
    next();
    refuse(bad);
    EXPECT_EQ(next(), "a: 1-1:0 1-1:1");
    refuse(bad);
    EXPECT_EQ(next(), "b: 1-3");
    accept();
    EXPECT_EQ(next(), "a: 1-1:0");
    refuse(bad);
    EXPECT_EQ(next(), "a: 1-1:1");
    accept();
    EXPECT_EQ(told, (Told{"b/1-3", "a/1-1 40013", "a/1-2"}));
    EXPECT_EQ(queue.size(), 0);
}

TEST_F(PublishQueueTest, a_message_that_is_too_large_is_refused_at_once_and_is_in_no_parcel) {
    add("a", 1, 1);
    add("a", 1, 2, 101);
    EXPECT_EQ(told, Told{"a/1-2 40009"});
    add("a", 1, 3);
    queue.commit();
    EXPECT_EQ(next(), "a: 1-1:0 1-1:1");
}

TEST_F(PublishQueueTest, after_a_restart_only_what_is_under_way_is_left_and_nothing_overtakes_it) {
    add("a", 1, 1);
    queue.commit();
    EXPECT_EQ(next(), "a: 1-1");
    const auto under_way = last;
    add("a", 2, 1);
    add("b", 2, 2);
    queue.restart();
    EXPECT_EQ(queue.size(), 1);
    add("a", 1, 1);
    add("a", 2, 1);
    queue.commit();
    EXPECT_EQ(next(), "");
    queue.answered(under_way, {.request = down, .parcels = {}}, now);
    now += 1min;
    EXPECT_EQ(next(), "a: 1-1");
    accept();
    EXPECT_EQ(next(), "a: 2-1");
    accept();
    EXPECT_EQ(queue.size(), 0);
    EXPECT_EQ(told, (Told{"a/1-1", "a/2-1"}));
}

}  // namespace
}  // namespace rest
