#include "connector/sql_message.hpp"

#include <gtest/gtest.h>

#include "protocol/error_codes.hpp"

namespace connector {
namespace {

protocol::Message message(std::string_view content) { return read_sql_message(content, "secret").value().message; }

}  // namespace

TEST(SqlMessage, is_a_message_for_a_channel) {
    const auto read = read_sql_message(R"(secret {"channel":"jobs","name":"done","data":{"id": 1},"extras":{"headers":{"a":"b"}}})",
                                       "secret");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->channel, "jobs");
    EXPECT_EQ(read->message, (protocol::Message{.name = "done", .encoding = "json", .data = R"({"id": 1})",
                                                .extras = {R"({"headers":{"a":"b"}})"}}));
}

TEST(SqlMessage, has_a_text_as_text_and_null_as_nothing) {
    EXPECT_EQ(message(R"(secret {"channel":"c","name":null,"data":"a\"b","extras":null})"), (protocol::Message{.data = "a\"b"}));
    EXPECT_EQ(message(R"(secret {"channel":"c","name":"n","data":null})"), (protocol::Message{.name = "n"}));
    EXPECT_EQ(message(R"(secret {"channel":"c","data":12.50})"), (protocol::Message{.encoding = "json", .data = "12.50"}));
}

TEST(SqlMessage, is_believed_only_with_the_token) {
    for (const auto* content : {R"({"channel":"c"})", R"(secre {"channel":"c"})", R"(secrets {"channel":"c"})", "", "secret"}) {
        EXPECT_EQ(read_sql_message(content, "secret").error().code, base::ErrorCode::unauthorized) << content;
    }
    EXPECT_EQ(read_sql_message(" {}", "").error().code, base::ErrorCode::unauthorized);
}

TEST(SqlMessage, that_is_malformed_is_refused) {
    for (const auto* content : {"secret ", "secret {}", R"(secret {"channel":""})", R"(secret {"channel":"[a]b"})",
                                R"(secret {"channel":"c"} x)", R"(secret {"channel":1})"}) {
        EXPECT_FALSE(read_sql_message(content, "secret")) << content;
    }
}

}  // namespace connector
