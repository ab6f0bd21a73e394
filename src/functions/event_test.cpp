#include "functions/event.hpp"

#include <gtest/gtest.h>

namespace functions {

TEST(Event, has_the_form_of_ablys_enveloped_events) {
    const Event event{.app_id = "aBCdEf",
                      .channel = "outgoing-chat",
                      .site = "local",
                      .rule_id = "1-a2Bc",
                      .messages = {{.id = "ABc:1:0",
                                    .client_id = "user-3",
                                    .connection_id = "ABc",
                                    .name = "chatMsg",
                                    .encoding = "json",
                                    .data = R"({"username":"a","content":"hi"})",
                                    .timestamp = 1'123'145'678'900}}};
    const auto again = event_from_json(to_json(event));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, event);

    // As the hosted service documents it, byte for byte but for white space.
    const auto documented =
        event_from_json(R"({"source":"channel.message","appId":"aBCdEf","channel":"outgoing-chat",
        "site":"local","ruleId":"1-a2Bc",
        "messages":[{"id":"ABc:1:0","clientId":"user-3","connectionId":"ABc","timestamp":1123145678900,"name":"chatMsg",
        "data":"{\"username\":\"a\",\"content\":\"hi\"}","encoding":"json"}],"somethingNew":[1]})");
    ASSERT_TRUE(documented) << documented.error().message;
    EXPECT_EQ(*documented, event);
}

TEST(Event, refuses_what_is_not_one) {
    for (const auto* text : {"", "[]", "null", "{}", R"({"source":"x"})", R"({"messages":1})", R"({"messages":[]}x)",
                             R"({"channel":1,"messages":[]})"}) {
        const auto event = event_from_json(text);
        ASSERT_FALSE(event) << text;
        EXPECT_GE(static_cast<int>(event.error().code), 40'000) << text;
    }
}

}  // namespace functions
