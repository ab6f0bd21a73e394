#include "auth/channel_claims.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <ranges>

using namespace auth;

namespace {

std::string claim(const ChannelClaims& claims, std::string_view channel) {
    const auto* found = claims.user_claim(channel);
    return found ? *found : "none";
}

}  // namespace

TEST(ChannelClaims, are_known_by_their_names) {
    EXPECT_EQ(ChannelClaims::user_claim_pattern("ably.channel.chat:*"), "chat:*");
    EXPECT_EQ(ChannelClaims::publish_rate_pattern("ably.limits.publish.perAttachment.maxRate.*"), "*");
    for (const auto* other : {"", "ably.channel.", "ably.channel", "x-ably-channel.a", "ably.limits.publish.perAttachment.maxRate."}) {
        EXPECT_EQ(ChannelClaims::user_claim_pattern(other), std::nullopt) << other;
        EXPECT_EQ(ChannelClaims::publish_rate_pattern(other), std::nullopt) << other;
    }
}

TEST(ChannelClaims, the_most_specific_counts_in_whatever_order_they_stand) {
    const std::pair<const char*, const char*> said[] = {
        {"*", "guest"}, {"chat:*", "member"}, {"chat:lobby", "moderator"}, {"chat:lobby:*", "host"}, {"[meta]*", "meta"}};
    ChannelClaims forwards, backwards;
    for (const auto& [pattern, text] : said) forwards.add_user_claim(pattern, text);
    for (const auto& [pattern, text] : said | std::views::reverse) backwards.add_user_claim(pattern, text);
    for (const auto& claims : {forwards, backwards}) {
        EXPECT_EQ(claim(claims, "room"), "guest");
        EXPECT_EQ(claim(claims, "chat"), "guest");
        EXPECT_EQ(claim(claims, "chat:7"), "member");
        EXPECT_EQ(claim(claims, "chat:lobby"), "moderator");
        EXPECT_EQ(claim(claims, "chat:lobby:7"), "host");
        EXPECT_EQ(claim(claims, "[?rewind=1]chat:lobby"), "moderator");
        EXPECT_EQ(claim(claims, "[meta]log"), "meta");
    }
    ChannelClaims one;
    one.add_user_claim("a", "x");
    EXPECT_EQ(claim(one, "b"), "none");
    EXPECT_EQ(one.publish_rate("a"), nullptr);
}

TEST(ChannelClaims, are_bounded) {
    ChannelClaims claims;
    EXPECT_TRUE(claims.empty());
    claims.add_user_claim("a", std::string(user_claim_bytes_max, 'x'));
    EXPECT_TRUE(claims.check());
    for (std::size_t i = 1; i < channel_claims_max; ++i) claims.add_publish_rate("c" + std::to_string(i), 0.1);
    EXPECT_TRUE(claims.check());
    claims.add_publish_rate("b", 1);
    EXPECT_EQ(claims.check().error().code, base::ErrorCode::invalid_jwt);

    ChannelClaims longer;
    longer.add_user_claim("a", std::string(user_claim_bytes_max + 1, 'x'));
    EXPECT_EQ(longer.check().error().code, base::ErrorCode::invalid_jwt);
    for (const double rate : {-1.0, std::numeric_limits<double>::infinity()}) {
        ChannelClaims wrong;
        wrong.add_publish_rate("a", rate);
        EXPECT_EQ(wrong.check().error().code, base::ErrorCode::invalid_jwt);
    }
}
