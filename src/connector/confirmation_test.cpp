#include "connector/confirmation.hpp"

#include <random>

#include <gtest/gtest.h>

namespace connector {
namespace {

using namespace std::chrono_literals;
using broker::WalPlace;

class ConfirmationTest : public ::testing::Test {
protected:
    /// A transaction of `changes` on the channel "c"; gives its ticket.
    std::uint64_t transaction(std::uint64_t commit, std::uint64_t end, std::uint32_t changes = 1) {
        std::uint64_t ticket = 0;
        confirmation.begin();
        for (std::uint32_t i = 1; i <= changes; ++i) ticket = confirmation.publish("c", {commit, i});
        confirmation.commit(Lsn{end}, now);
        return ticket;
    }
    void acknowledge(std::uint64_t ticket) { confirmation.acknowledge(ticket, now); }
    void expect_due(std::uint64_t lsn, const Tails& tails) {
        const auto step = confirmation.due(now);
        ASSERT_TRUE(step);
        EXPECT_EQ(step->lsn, Lsn{lsn});
        EXPECT_EQ(step->tails, tails);
    }
    void expect_nothing_due() { EXPECT_FALSE(confirmation.due(now)); }

    base::Time now = base::from_ms(1'700'000'000'000);
    Confirmation confirmation{{.window = 120s, .held_bytes_max = 1'000}};
};

}  // namespace

TEST(Tails, of_too_many_channels_say_only_how_far_all_of_them_may_be) {
    Tails tails;
    const auto most = base::limits::channel_tails_max;
    for (std::size_t i = 0; i <= most; ++i) note(tails, "c" + std::to_string(i), {i + 1, 1});
    EXPECT_EQ(tails.size(), most + 1);
    note(tails, "c1", {most + 2, 1});
    EXPECT_EQ(tails.size(), most + 1) << "a channel that is among them takes no more";
    note(tails, "one more", {most + 3, 1});
    EXPECT_EQ(tails, (Tails{{all_channels, {most + 2, 1}}, {"one more", {most + 3, 1}}}));
}

TEST_F(ConfirmationTest, confirms_a_window_after_the_acknowledgement_with_the_tails) {
    const auto ticket = transaction(10, 20, 2);
    acknowledge(ticket);
    EXPECT_EQ(confirmation.delivered(), Lsn{0});
    acknowledge(ticket);
    EXPECT_EQ(confirmation.delivered(), Lsn{20});
    now += 119s;
    expect_nothing_due();
    now += 1s;
    expect_due(20, {{"c", {10, 2}}});
    expect_nothing_due();
}

TEST_F(ConfirmationTest, waits_for_the_oldest_however_many_behind_it_are_acknowledged) {
    const auto first = transaction(10, 20), second = transaction(30, 40);
    acknowledge(second);
    now += 1h;
    EXPECT_EQ(confirmation.delivered(), Lsn{0});
    expect_nothing_due();
    acknowledge(first);
    EXPECT_EQ(confirmation.delivered(), Lsn{40});
    now += 120s;
    expect_due(40, {{"c", {30, 1}}});
}

TEST_F(ConfirmationTest, counts_keepalives_only_when_nothing_is_in_flight_or_held) {
    confirmation.keepalive(Lsn{5});
    expect_due(5, {});
    const auto ticket = transaction(10, 20);
    confirmation.keepalive(Lsn{500});
    expect_nothing_due();
    EXPECT_EQ(confirmation.delivered(), Lsn{5});
    acknowledge(ticket);
    EXPECT_EQ(confirmation.delivered(), Lsn{500});
    expect_nothing_due();
    now += 120s;
    expect_due(500, {{"c", {10, 1}}});
}

TEST_F(ConfirmationTest, a_keepalive_in_the_middle_of_a_transaction_waits_for_it) {
    confirmation.begin();
    const auto ticket = confirmation.publish("c", {10, 1});
    confirmation.keepalive(Lsn{500});
    acknowledge(ticket);
    EXPECT_EQ(confirmation.delivered(), Lsn{0});
    confirmation.commit(Lsn{20}, now);
    EXPECT_EQ(confirmation.delivered(), Lsn{500});
}

TEST_F(ConfirmationTest, a_transaction_without_changes_is_no_more_than_a_keepalive) {
    transaction(10, 20, 0);
    EXPECT_EQ(confirmation.delivered(), Lsn{20});
    expect_due(20, {});
    const auto ticket = transaction(30, 40);
    transaction(50, 60, 0);
    EXPECT_EQ(confirmation.delivered(), Lsn{20});
    acknowledge(ticket);
    EXPECT_EQ(confirmation.delivered(), Lsn{60});
}

TEST_F(ConfirmationTest, confirms_earlier_when_it_would_hold_back_too_much_wal) {
    acknowledge(transaction(10, 20));
    now += 2s;
    acknowledge(transaction(1'000, 1'020));
    expect_nothing_due();
    now += 2s;
    acknowledge(transaction(1'900, 1'920));
    expect_due(20, {{"c", {10, 1}}});
    expect_nothing_due();
}

TEST_F(ConfirmationTest, a_restart_reads_again_from_what_was_delivered) {
    EXPECT_EQ(confirmation.restart(), Lsn{0});
    acknowledge(transaction(10, 20));
    transaction(30, 40);
    acknowledge(transaction(50, 60));
    confirmation.begin();
    confirmation.keepalive(Lsn{500});
    EXPECT_EQ(confirmation.restart(), Lsn{20});
    EXPECT_EQ(confirmation.delivered(), Lsn{20});
    now += 120s;
    expect_due(20, {{"c", {10, 1}}});
    acknowledge(transaction(30, 40));
    EXPECT_EQ(confirmation.delivered(), Lsn{40});
}

TEST_F(ConfirmationTest, gives_the_tail_of_each_channel_once_and_only_when_it_moved) {
    Confirmation at_once{{.window = 0s}};
    at_once.begin();
    const auto ticket = at_once.publish("a", {10, 1});
    at_once.publish("b", {10, 2});
    at_once.publish("a", {10, 3});
    at_once.commit(Lsn{20}, now);
    for (int i = 0; i < 3; ++i) at_once.acknowledge(ticket, now);
    const auto first = at_once.due(now);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->tails, (Tails{{"a", {10, 3}}, {"b", {10, 2}}}));
    at_once.keepalive(Lsn{30});
    const auto second = at_once.due(now);
    ASSERT_TRUE(second);
    EXPECT_EQ(std::pair(second->lsn, second->tails), std::pair(Lsn{30}, Tails{}));
}

TEST_F(ConfirmationTest, never_confirms_what_is_not_acknowledged_whatever_happens) {
    std::minstd_rand random{20'240'602};
    Confirmation subject{{.window = 500ms, .held_bytes_max = 300}};
    struct Unacknowledged {
        std::uint64_t ticket, begin;
    };
    std::deque<Unacknowledged> in_flight;
    std::uint64_t lsn = 1, confirmed = 0;
    bool open = false;
    for (int step = 0; step < 50'000; ++step) {
        now += std::chrono::milliseconds{random() % 50};
        switch (random() % 7) {
            case 0:
                if (!open) subject.begin();
                open = true;
                break;
            case 1:
            case 2:
                if (open) in_flight.push_back({subject.publish("c", {++lsn, 1}), lsn});
                break;
            case 3:
                if (open) subject.commit(Lsn{lsn += 10}, now);
                open = false;
                break;
            case 4:
                if (!in_flight.empty()) {
                    const auto index = random() % in_flight.size();
                    subject.acknowledge(in_flight[index].ticket, now);
                    in_flight.erase(in_flight.begin() + static_cast<std::ptrdiff_t>(index));
                }
                break;
            case 5: subject.keepalive(Lsn{lsn += 5}); break;
            default:
                if (random() % 100 == 0) {
                    const auto from = subject.restart();
                    for (const auto& each : in_flight) ASSERT_LE(from.value, each.begin);
                    in_flight.clear();
                    open = false;
                }
        }
        if (const auto due = subject.due(now)) {
            ASSERT_GT(due->lsn.value, confirmed);
            confirmed = due->lsn.value;
            for (const auto& each : in_flight) ASSERT_LT(confirmed, each.begin);
        }
    }
    EXPECT_GT(confirmed, 1'000u);
}

}  // namespace connector
