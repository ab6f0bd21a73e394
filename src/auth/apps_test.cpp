#include "auth/apps.hpp"

#include <gtest/gtest.h>

#include "auth/app.test.hpp"
#include "auth/token.hpp"

using namespace auth;
using base::ErrorCode;

TEST(Apps, find_and_check_keys) {
    const test::OneApp apps{Capability::all(), "app.key-1:se:cret"};
    const auto known = apps.find_key("app.key-1");
    ASSERT_TRUE(known);
    EXPECT_EQ(known->secret, "se:cret");
    EXPECT_EQ(known.app, apps.find("app"));
    EXPECT_EQ(apps.check("app.key-1:se:cret")->key, known.key);
    EXPECT_FALSE(apps.find_key("app.key"));
}

TEST(Apps, a_wrong_secret_and_a_key_of_no_app_are_refused_alike) {
    const test::OneApp apps;
    for (const char* bad : {"", "app.key", "app.key:", "app.key:secre", "app.key:secret2", "other.key:secret", "this.is:wrong",
                            "invalid.key:secret", "app.other", ":secret", ".key:secret", "app:secret"}) {
        EXPECT_EQ(apps.check(bad).error(), (base::Error{ErrorCode::invalid_credentials, "the key is not one of this server's"})) << bad;
    }
}

TEST(Apps, an_unknown_key_of_a_known_app_is_401_with_40400) {
    const test::OneApp apps;
    const auto error = apps.check("app.other:secret").error();
    EXPECT_EQ(error, (base::Error{ErrorCode::not_found, "No key found with name app.other", 401}));
    EXPECT_EQ(protocol::http_status(error), 401);
}

TEST(Apps, a_token_of_an_unknown_app_is_told_from_one_of_an_unknown_key) {
    const test::OneApp apps;
    EXPECT_EQ(protocol::http_status(apps.must_find_key("other.key").error()), 404);
    EXPECT_EQ(apps.must_find_key("other.key").error(), (base::Error{ErrorCode::not_found, "No application found with id other"}));
    EXPECT_EQ(apps.must_find_key("app.other").error().code, ErrorCode::invalid_credentials);
    EXPECT_TRUE(apps.must_find_key("app.key"));
}

TEST(Apps, are_there_once_until_they_are_removed) {
    test::OneApp apps;
    EXPECT_EQ(apps.add({.id = "app"}).error().code, ErrorCode::conflict);
    const auto known = apps.find_key("app.key");
    EXPECT_TRUE(apps.remove("app"));
    EXPECT_FALSE(apps.remove("app"));
    EXPECT_EQ(apps.find("app"), nullptr);
    EXPECT_FALSE(apps.find_key("app.key"));
    EXPECT_FALSE(apps.check("app.key:secret"));
    EXPECT_EQ(known->secret, "secret");  // whoever uses it has it still
}

TEST(ConnectionSlot, there_are_as_many_as_an_app_may_have_connections) {
    Apps apps;
    const auto app = apps.add({.id = "app", .limits = {.connections = 2}}).value();
    auto first = ConnectionSlot::take(app);
    const auto second = ConnectionSlot::take(app);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(ConnectionSlot::take(app).error().code, ErrorCode::account_connection_limit_exceeded);
    *first = ConnectionSlot{};
    EXPECT_TRUE(ConnectionSlot::take(app));
    EXPECT_EQ(*app->connections, 1u);
}

TEST(Hmac, RFC4231_test_case_2) {
    const std::string expected{
        "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec"
        "\x38\x43",
        32};
    EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"), expected);
    EXPECT_TRUE(equal_constant_time("abc", "abc"));
    EXPECT_FALSE(equal_constant_time("abc", "abd"));
    EXPECT_FALSE(equal_constant_time("abc", "ab"));
}
