#include "app/app_request.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

using namespace app;
using base::ErrorCode;

namespace {

AppRequest made_from(std::string_view json) {
    auto made = app_request_from_json(json);
    EXPECT_TRUE(made) << made.error().message;
    return *std::move(made);
}
ErrorCode refused(std::string_view json) {
    const auto made = app_request_from_json(json);
    EXPECT_FALSE(made) << json;
    return made ? ErrorCode{} : made.error().code;
}
std::string capability_of(const AppRequest& made, std::size_t key) { return made.app.keys.at(key).capability.to_json(); }

}  // namespace

TEST(AppRequest, keys_are_made_in_order_each_with_all_capabilities_unless_it_says_otherwise) {
    const auto made = made_from(R"({"keys":[{},{"capability":" {\"a:*\": [\"subscribe\", \"publish\"]}"},
        {"capability":{"[*]*":["*"]},"revocableTokens":true},{"capability":null}]})");
    ASSERT_EQ(made.app.keys.size(), 4u);
    EXPECT_EQ(capability_of(made, 0), R"({"*":["*"]})");
    EXPECT_EQ(capability_of(made, 1), R"({"a:*":["publish","subscribe"]})");
    EXPECT_EQ(capability_of(made, 2), R"({"[*]*":["*"]})");
    EXPECT_EQ(capability_of(made, 3), R"({"*":["*"]})");
    EXPECT_FALSE(made.app.keys[0].revocable_tokens);
    EXPECT_TRUE(made.app.keys[2].revocable_tokens);
    EXPECT_EQ(made.app.keys[0].app_id(), made.app.id);
    EXPECT_NE(made.app.keys[0].secret, made.app.keys[1].secret);
    EXPECT_NE(made_from("{}").app.id, made_from("{}").app.id);
}

TEST(AppRequest, namespaces_are_what_they_say_and_nothing_else) {
    const auto made = made_from(R"({"namespaces":[{"id":"persisted","persisted":true},{"id":"mutable","mutableMessages":true,"x":1},
        {"id":"push","pushEnabled":true}]})");
    EXPECT_EQ(made.app.namespaces, (std::vector<auth::Namespace>{{.id = "persisted", .persisted = true},
                                                                 {.id = "mutable", .mutable_messages = true},
                                                                 {.id = "push", .push_enabled = true}}));
    EXPECT_EQ(made.app.default_namespace, auth::Namespace{});
}

TEST(AppRequest, a_channels_members_keep_their_data_and_encoding) {
    const auto made = made_from(R"({"channels":[{"name":"persisted:fixtures","presence":[{"clientId":"int","data":"24"},
        {"clientId":"json","data":"{\"a\":1}","encoding":"json"},
        {"clientId":"secret","data":"AAECAw==","encoding":"json/utf-8/cipher+aes-128-cbc/base64"}]},{"name":"empty"}]})");
    const auto enter = protocol::PresenceAction::enter;
    EXPECT_EQ(made.channels,
              (std::vector<ChannelFixture>{
                  {.name = "persisted:fixtures",
                   .presence = {{.client_id = "int", .data = "24", .action = enter},
                                {.client_id = "json", .encoding = "json", .data = R"({"a":1})", .action = enter},
                                {.client_id = "secret", .encoding = "json/utf-8/cipher+aes-128-cbc",
                                 .data = protocol::Binary{std::string{"\0\1\2\3", 4}}, .action = enter}}},
                  {.name = "empty", .presence = {}}}));
}

TEST(AppRequest, limits_are_named_as_in_the_configuration_or_as_ably_does) {
    EXPECT_EQ(made_from(R"({"limits":{"presence":{"maxMembers":250}}})").app.limits,
              (auth::AppLimits{.presence_members_per_channel = 250}));
    EXPECT_EQ(made_from(R"({"limits":{"connections":3,"inbound_per_channel":7,"other":{}}})").app.limits,
              (auth::AppLimits{.connections = 3, .inbound_per_channel = 7}));
    EXPECT_EQ(made_from("{}").app.limits, auth::AppLimits{});
}

TEST(AppRequest, what_is_malformed_is_refused) {
    for (const char* bad : {"", "[]", "{", R"({"keys":{}})", R"({"keys":[1]})", R"({"namespaces":[{}]})", R"({"channels":[{}]})",
                            R"({"channels":[{"name":"a","presence":[{"data":"x"}]}]})", R"({"channels":[{"name":"a","presence":3}]})",
                            R"({"limits":3})", R"({"limits":{"connections":0}})", R"({"limits":{"connections":"many"}})"}) {
        EXPECT_EQ(refused(bad), ErrorCode::invalid_body) << bad;
    }
    EXPECT_EQ(refused(R"({"keys":[{"capability":{"a":["fly"]}}]})"), ErrorCode::bad_request);
    EXPECT_EQ(refused(R"({"keys":[{"capability":3}]})"), ErrorCode::bad_request);
    EXPECT_EQ(refused(R"({"channels":[{"name":":a"}]})"), ErrorCode::invalid_channel_name);
    std::string many = "{}";
    for (int i = 0; i < 100; ++i) many += ",{}";
    EXPECT_EQ(refused(R"({"keys":[)" + many + "]}"), ErrorCode::invalid_body);
}

TEST(AppRequest, the_answer_is_what_suites_read) {
    const auto made = made_from(R"({"keys":[{"capability":{"a":["publish"]}}],"namespaces":[{"id":"n","persisted":true}],
        "channels":[{"name":"c","presence":[{"clientId":"x"}]}]})");
    const auto& key = made.app.keys[0];
    const boost::json::value expected{
        {"appId", made.app.id},
        {"accountId", made.app.account_id},
        {"keys",
         {{{"id", key.key_id()}, {"keyName", key.name}, {"keySecret", key.secret}, {"value", key.secret},
           {"keyStr", key.name + ":" + key.secret}, {"capability", R"({"a":["publish"]})"}, {"revocableTokens", false}}}},
        {"namespaces", {{{"id", "n"}, {"persisted", true}, {"mutableMessages", false}, {"pushEnabled", false}}}},
        {"channels", {{{"name", "c"}, {"presence", {{{"clientId", "x"}}}}}}},
        {"endpoint", "localhost"},
        {"port", 8080},
        {"tls", false}};
    EXPECT_EQ(boost::json::parse(to_json(made, "localhost", 8080)), expected);
}
