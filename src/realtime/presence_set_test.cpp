#include "realtime/presence_set.hpp"

#include <gtest/gtest.h>

using namespace realtime;
using protocol::PresenceAction;
using protocol::PresenceMessage;

namespace {

PresenceMessage presence(PresenceAction action, std::string connection, std::string client, protocol::Data data = {}) {
    return {.client_id = std::move(client), .connection_id = std::move(connection), .data = std::move(data), .action = action};
}

bool apply(PresenceSet& set, PresenceMessage message) { return set.apply(message); }

}  // namespace

TEST(PresenceSet, TP3h_a_member_is_a_connection_and_a_client) {
    PresenceSet set;
    apply(set, presence(PresenceAction::enter, "c1", "ann", "1"));
    apply(set, presence(PresenceAction::enter, "c2", "ann", "2"));
    apply(set, presence(PresenceAction::enter, "c1", "bob", "3"));
    apply(set, presence(PresenceAction::update, "c1", "ann", "4"));
    EXPECT_EQ(set.members(),
              (std::vector{presence(PresenceAction::present, "c1", "ann", "4"), presence(PresenceAction::present, "c1", "bob", "3"),
                           presence(PresenceAction::present, "c2", "ann", "2")}));
}

TEST(PresenceSet, RTP2d_an_update_of_nobody_is_an_enter_and_a_leave_of_nobody_is_nothing) {
    PresenceSet set;
    auto update = presence(PresenceAction::update, "c1", "ann");
    EXPECT_TRUE(set.apply(update));
    EXPECT_EQ(update.action, PresenceAction::enter);
    EXPECT_FALSE(apply(set, presence(PresenceAction::leave, "c1", "bob")));
    EXPECT_EQ(set.size(), 1u);
}

TEST(PresenceSet, RTP17g_an_enter_said_again_is_told_only_when_the_member_had_left) {
    PresenceSet set;
    auto enter = presence(PresenceAction::enter, "c1", "ann");
    enter.id = "c1:0:0";
    EXPECT_TRUE(apply(set, enter));
    EXPECT_FALSE(apply(set, enter));
    apply(set, presence(PresenceAction::leave, "c1", "ann"));
    EXPECT_TRUE(apply(set, enter));
}

TEST(PresenceSet, a_leave_without_data_tells_what_the_member_last_said) {
    PresenceSet set;
    apply(set, presence(PresenceAction::enter, "c1", "ann", "hello"));
    auto leave = presence(PresenceAction::leave, "c1", "ann");
    EXPECT_TRUE(set.apply(leave));
    EXPECT_EQ(leave, presence(PresenceAction::leave, "c1", "ann", "hello"));
    EXPECT_TRUE(set.empty());
}

TEST(PresenceSet, D5_weighs_what_its_members_take_in_memory) {
    PresenceSet set;
    const auto weight = [&](PresenceMessage message) {
        const auto before = set.bytes();
        apply(set, std::move(message));
        return set.bytes() - before;
    };
    EXPECT_EQ(weight(presence(PresenceAction::enter, "c1", "ann", "12345")), 0u);
    EXPECT_EQ(weight(presence(PresenceAction::enter, "c1", std::string(36, 'u'))), 0u);
    const auto one = weight(presence(PresenceAction::update, "c1", "ann", std::string(10'000, 'x')));
    EXPECT_GE(one, 10'000u);
    EXPECT_EQ(weight(presence(PresenceAction::update, "c1", "ann")), 0u - one);
    auto encoded = presence(PresenceAction::enter, "c1", "bob");
    encoded.encoding = encoded.id = std::string(10'000, 'x');
    EXPECT_GE(weight(encoded), 2 * 10'000u);
    EXPECT_GE(weight(presence(PresenceAction::enter, "c1", std::string(1'000, 'u'))), 1'500u);
    apply(set, presence(PresenceAction::leave, "c1", std::string(1'000, 'u')));
    for (const auto* client : {"ann", "bob"}) apply(set, presence(PresenceAction::leave, "c1", client));
    EXPECT_EQ(set.bytes(), 0u);
}

TEST(PresenceSet, leaves_of_a_connection_are_those_of_all_its_members_and_no_others) {
    PresenceSet set;
    for (const auto* connection : {"c1", "c10", "c2"}) {
        apply(set, presence(PresenceAction::enter, connection, "ann"));
        apply(set, presence(PresenceAction::enter, connection, "bob"));
    }
    EXPECT_EQ(set.leaves_of("c1"),
              (std::vector{presence(PresenceAction::leave, "c1", "ann"), presence(PresenceAction::leave, "c1", "bob")}));
    EXPECT_EQ(set.leaves_of("c3"), std::vector<PresenceMessage>{});
}
