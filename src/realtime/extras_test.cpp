#include "realtime/extras.hpp"

#include <gtest/gtest.h>

#include "auth/app.test.hpp"

namespace realtime {
namespace {

TEST(Extras, a_member_is_put_in_once_and_taken_out_wholly) {
    EXPECT_EQ(with_member("", "m", "1"), R"({"m":1})");
    EXPECT_EQ(with_member(R"({ "a" : [1, 2], "m":0, "b":{"m":3}, "\u006d":4 })", "m", "\"x\""), R"({"a":[1, 2],"b":{"m":3},"m":"x"})");
    const std::pair<const char*, const char*> all[] = {
        {R"({"m":1})", ""}, {R"({"\u006d":1,"m":2})", ""}, {R"({"a": 1})", R"({"a": 1})"}, {R"({"a":1,"m":2})", R"({"a":1})"}, {"", ""}};
    for (const auto& [text, left] : all) {
        protocol::JsonText extras{text};
        drop_member(extras, "m");
        EXPECT_EQ(extras.text, left) << text;
    }
}

TEST(Extras, userClaim_is_the_tokens_and_never_the_clients) {
    const auth::test::OneApp apps;
    auth::ChannelClaims claims;
    claims.add_user_claim("chat:*", "mod \"1\"");
    auth::Identity nobody{.app = apps.find("app"), .key_name = "app.key", .client_id = "ann", .capability = auth::Capability::all()};
    auto moderator = nobody;
    moderator.channel_claims = std::make_shared<const auth::ChannelClaims>(claims);
    const auto stamped = [](const auth::Identity& publisher, std::string text, std::string_view channel) {
        protocol::JsonText extras{std::move(text)};
        stamp_user_claim(extras, publisher, channel);
        return extras.text;
    };
    EXPECT_EQ(stamped(moderator, "", "chat:1"), R"({"userClaim":"mod \"1\""})");
    EXPECT_EQ(stamped(moderator, R"({"userClaim":"root","headers":{}})", "chat:1"), R"({"headers":{},"userClaim":"mod \"1\""})");
    EXPECT_EQ(stamped(moderator, R"({"userClaim":"root","headers":{}})", "elsewhere"), R"({"headers":{}})");
    EXPECT_EQ(stamped(nobody, R"({"user\u0043laim":"root"})", "chat:1"), "");
    EXPECT_EQ(stamped(nobody, R"({"a":{"userClaim":1}})", "chat:1"), R"({"a":{"userClaim":1}})");
}

}  // namespace
}  // namespace realtime
