#pragma once

#include <gtest/gtest.h>

#include "auth/apps.hpp"

namespace auth::test {

/// What tests know: one app, with one key.
class OneApp : public Apps {
public:
    explicit OneApp(const Capability& capability = Capability::all(), std::string_view key_text = "app.key:secret")
        : OneApp(parse_key(key_text, capability).value()) {}
    explicit OneApp(Key key) {
        App app{.id = std::string{key.app_id()}, .default_namespace = {.mutable_messages = true}};
        EXPECT_TRUE(app.add(std::move(key)));
        EXPECT_TRUE(add(std::move(app)));
    }
};

}  // namespace auth::test
