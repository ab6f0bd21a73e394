#include "auth/keys.hpp"

#include <gtest/gtest.h>

#include "auth/token.hpp"

using namespace auth;
using base::ErrorCode;

TEST(KeyStore, finds_and_checks_what_was_added) {
    KeyStore keys;
    const auto capability = Capability::parse(R"({"a":["publish"]})").value();
    ASSERT_TRUE(keys.add("app.key-1:se:cret", capability));
    const auto* key = keys.find("app.key-1");
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->app_id(), "app");
    EXPECT_EQ(key->key_id(), "key-1");
    EXPECT_EQ(key->secret, "se:cret");
    EXPECT_EQ(key->capability, capability);
    EXPECT_EQ(keys.check("app.key-1:se:cret"), key);
    EXPECT_EQ(keys.find("app.key"), nullptr);
}

TEST(KeyStore, a_wrong_secret_and_an_unknown_key_are_refused_alike) {
    KeyStore keys;
    ASSERT_TRUE(keys.add("app.key:secret", Capability::all()));
    for (const char* bad : {"", "app.key", "app.key:", "app.key:secre", "app.key:secret2", "app.other:secret", ":secret"}) {
        EXPECT_EQ(keys.check(bad).error(), (base::Error{ErrorCode::invalid_credentials, "the key is not one of this server's"}))
            << bad;
    }
}

TEST(KeyStore, refuses_a_malformed_key_and_a_second_one_of_a_name) {
    KeyStore keys;
    for (const char* bad : {"", "app", "app.key", "app.key:", ".key:secret", "app.:secret", "app:secret", "a.b.c:secret",
                            "app.k y:secret", "a\n.key:secret"}) {
        const auto added = keys.add(bad, Capability::all());
        ASSERT_FALSE(added) << bad;
        EXPECT_EQ(added.error().code, ErrorCode::invalid_credentials) << bad;
    }
    ASSERT_TRUE(keys.add("app.key:secret", Capability::all()));
    EXPECT_FALSE(keys.add("app.key:other", Capability::all()));
    EXPECT_TRUE(keys.check("app.key:secret"));
    EXPECT_FALSE(keys.check("app.key:other"));
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
