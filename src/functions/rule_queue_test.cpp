#include "functions/rule_queue.hpp"

#include <gtest/gtest.h>

namespace functions {
namespace {

using namespace std::chrono_literals;
using base::limits::rule_queue_events_max;
using base::limits::rule_retry_for;

const Outcome done;
const Outcome failed{.failed = base::Error{ErrorCode::unavailable, "away"}};

/// A queue whose invocations are written down, and answered by the test.
class RuleQueueTest : public ::testing::Test {
protected:
    void push(const std::string& address, const std::string& id) {
        const auto pushed = queue.push(address, {.messages = {{.id = id}}}, now, [this, id](Outcome outcome) {
            finished.push_back(id + (outcome.failed ? " failed" : " done"));
        });
        EXPECT_TRUE(pushed);
    }
    void answer(const Outcome& outcome) {
        const auto call = calls.front();
        calls.pop_front();
        queue.answer(call, outcome, now);
    }
    /// Moves the clock on in steps to the time and ticks.
    void pass(std::chrono::milliseconds time) {
        now += time;
        queue.tick(now);
    }

    base::Time now = base::from_ms(1'700'000'000'000);
    std::deque<RuleQueue::Call> calls;   // not answered
    std::vector<std::string> invoked, finished;
    RuleQueue queue{[this](const RuleQueue::Call& call, const Event& event) {
        calls.push_back(call);
        invoked.push_back(event.messages[0].id);
    }};
};

using Texts = std::vector<std::string>;

TEST_F(RuleQueueTest, a_channel_is_full_by_bytes_too_and_others_are_not) {
    const auto push_large = [&](const std::string& address) {
        return queue.push(address, {.messages = {{.id = "x", .data = std::string(60'000, 'x')}}}, now, [](auto) {}).has_value();
    };
    std::size_t pushed = 0;
    while (push_large("a")) ++pushed;
    EXPECT_TRUE(queue.full("a"));
    EXPECT_LT(pushed, 2 * base::limits::rule_queue_bytes_max / 60'000);
    EXPECT_FALSE(queue.full("b"));
    push("b", "1");
    // Many channels never have more than all may.
    for (int i = 0; i < 2'000; ++i) push_large("c" + std::to_string(i));
    EXPECT_LT(queue.bytes(), base::limits::rule_queues_bytes_max + 100'000);
    while (!calls.empty()) answer(done);
    EXPECT_EQ(queue.bytes(), 0u);
}

}  // namespace

TEST_F(RuleQueueTest, a_channels_events_go_one_after_the_other) {
    push("a", "1");
    push("a", "2");
    EXPECT_EQ(invoked, (Texts{"1"}));
    answer(done);
    EXPECT_EQ(invoked, (Texts{"1", "2"}));
    EXPECT_EQ(finished, (Texts{"1 done"}));
    answer(done);
    EXPECT_EQ(finished, (Texts{"1 done", "2 done"}));
    EXPECT_EQ(queue.size(), 0u);
}

TEST_F(RuleQueueTest, an_event_that_fails_in_vain_is_finished_at_once_and_the_next_is_tried) {
    push("a", "1");
    push("a", "2");
    auto in_vain = failed;
    in_vain.in_vain = true;
    answer(in_vain);
    EXPECT_EQ(finished, (Texts{"1 failed"}));
    EXPECT_EQ(invoked, (Texts{"1", "2"}));
    answer(done);
    EXPECT_EQ(finished, (Texts{"1 failed", "2 done"}));
}

TEST_F(RuleQueueTest, a_channel_that_fails_keeps_its_order_and_delays_no_other) {
    push("a", "a1");
    push("a", "a2");
    answer(failed);
    push("b", "b1");
    answer(done);
    EXPECT_EQ(finished, (Texts{"b1 done"}));
    pass(100ms);
    EXPECT_EQ(invoked, (Texts{"a1", "b1", "a1"}));
    answer(done);
    answer(done);
    EXPECT_EQ(invoked, (Texts{"a1", "b1", "a1", "a2"}));
    EXPECT_EQ(finished, (Texts{"b1 done", "a1 done", "a2 done"}));
}

TEST_F(RuleQueueTest, waits_longer_each_time_and_not_before_half_of_it) {
    push("a", "1");
    for (const auto wait : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
        const auto before = invoked.size();
        answer(failed);
        ASSERT_TRUE(queue.next_due());
        EXPECT_GE(*queue.next_due(), now + wait / 2);
        EXPECT_LE(*queue.next_due(), now + wait);
        pass(wait / 2 - 1ms);
        EXPECT_EQ(invoked.size(), before) << wait.count();
        pass(wait / 2 + 1ms);
        EXPECT_EQ(invoked.size(), before + 1) << wait.count();
        EXPECT_EQ(queue.next_due(), std::nullopt);
    }
}

TEST_F(RuleQueueTest, the_first_of_many_channels_is_due_first) {
    push("a", "1");
    push("b", "2");
    answer(failed);
    const auto first = *queue.next_due();
    now += 60ms;
    answer(failed);
    EXPECT_EQ(queue.next_due(), first);
    pass(std::max<std::chrono::milliseconds>(first - now, 0ms));
    EXPECT_EQ(invoked, (Texts{"1", "2", "1"}));
    EXPECT_GT(*queue.next_due(), first);
    pass(100ms);
    EXPECT_EQ(invoked, (Texts{"1", "2", "1", "2"}));
    EXPECT_EQ(queue.next_due(), std::nullopt);
}

TEST_F(RuleQueueTest, gives_up_on_an_event_after_its_time_and_goes_on_with_the_next) {
    const auto arrived = now;
    push("a", "1");
    while (finished.empty()) {
        answer(failed);
        if (queue.next_due()) pass(*queue.next_due() - now);
        ASSERT_LT(now, arrived + rule_retry_for);
    }
    EXPECT_EQ(finished, (Texts{"1 failed"}));
    EXPECT_GE(now, arrived + rule_retry_for - 5s);
    EXPECT_EQ(queue.size(), 0u);
    push("a", "2");
    answer(failed);
    pass(100ms);  // its own waits start anew
    EXPECT_EQ(invoked.back(), "2");
    answer(done);
    EXPECT_EQ(finished, (Texts{"1 failed", "2 done"}));
}

TEST_F(RuleQueueTest, refuses_more_than_its_bound_of_one_channel_only) {
    for (std::size_t i = 0; i < rule_queue_events_max; ++i) push("a", "x");
    const auto refused = queue.push("a", {}, now, [](Outcome) { FAIL() << "not taken, so not finished"; });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::rate_limit_exceeded);
    push("b", "y");
    EXPECT_EQ(queue.size(), rule_queue_events_max + 1);
}

TEST_F(RuleQueueTest, an_answer_that_is_not_awaited_changes_nothing) {
    push("a", "1");
    const auto call = calls.front();
    answer(failed);
    queue.answer(call, done, now);
    queue.answer({"nobody", 1}, done, now);
    EXPECT_EQ(finished, Texts{});
    pass(100ms);
    queue.answer(call, done, now);
    EXPECT_EQ(finished, Texts{});
    answer(done);
    EXPECT_EQ(finished, (Texts{"1 done"}));
}

TEST(RuleQueue, answers_given_at_once_need_no_stack) {
    bool at_once = false;
    std::size_t finished = 0;
    std::optional<RuleQueue::Call> first;
    RuleQueue* self = nullptr;
    RuleQueue queue{[&](const RuleQueue::Call& call, const Event&) {
        if (!at_once) first = call;
        else self->answer(call, done, base::from_ms(1));
    }};
    self = &queue;
    for (std::size_t i = 0; i < rule_queue_events_max; ++i)
        ASSERT_TRUE(queue.push("a", {}, base::from_ms(0), [&](Outcome) { ++finished; }));
    at_once = true;
    queue.answer(*first, done, base::from_ms(1));
    EXPECT_EQ(finished, rule_queue_events_max);
    EXPECT_EQ(queue.size(), 0u);
}

}  // namespace functions
