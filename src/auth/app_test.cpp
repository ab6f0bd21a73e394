#include "auth/app.hpp"

#include <gtest/gtest.h>

using namespace auth;
using base::ErrorCode;

TEST(Key, is_an_apps_and_keys_id_and_a_secret) {
    const auto capability = Capability::parse(R"({"a":["publish"]})").value();
    const auto key = parse_key("app.key-1:se:cret", capability);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->name, "app.key-1");
    EXPECT_EQ(key->app_id(), "app");
    EXPECT_EQ(key->key_id(), "key-1");
    EXPECT_EQ(key->secret, "se:cret");
    EXPECT_EQ(key->capability, capability);
}

TEST(Key, that_is_malformed_is_refused) {
    for (const char* bad : {"", "app", "app.key", "app.key:", ".key:secret", "app.:secret", "app:secret", "a.b.c:secret",
                            "app.k y:secret", "a\n.key:secret"}) {
        const auto key = parse_key(bad);
        ASSERT_FALSE(key) << bad;
        EXPECT_EQ(key.error().code, ErrorCode::invalid_credentials) << bad;
    }
}

TEST(App, has_keys_of_its_own_each_once) {
    App app{.id = "app"};
    ASSERT_TRUE(app.add(parse_key("app.key:secret").value()));
    EXPECT_FALSE(app.add(parse_key("app.key:other").value()));
    EXPECT_FALSE(app.add(parse_key("other.key:secret").value()));
    ASSERT_NE(app.key("app.key"), nullptr);
    EXPECT_EQ(app.key("app.key")->secret, "secret");
    EXPECT_EQ(app.key("app.other"), nullptr);
}

TEST(App, a_channels_namespace_is_named_by_what_is_before_its_first_colon_or_by_all_of_it) {
    const App app{.id = "app", .namespaces = {{.id = "persisted", .persisted = true}, {.id = "edited", .mutable_messages = true}}};
    for (const char* channel : {"persisted", "persisted:", "persisted:a", "persisted:a:b", "[meta]persisted:a"}) {
        EXPECT_EQ(app.namespace_of(channel), app.namespaces[0]) << channel;
    }
    EXPECT_EQ(app.namespace_of("edited:a"), app.namespaces[1]);
    for (const char* channel : {"", "a", "a:persisted", "persisted2", "persiste", "[persisted", "[meta]"}) {
        EXPECT_EQ(app.namespace_of(channel), app.default_namespace) << channel;
    }
}
