#include "functions/chat_command.hpp"

#include <gtest/gtest.h>

namespace functions {
namespace {

using base::Error;
using base::ErrorCode;

protocol::Message message(std::string name, std::string data) {
    return {.id = "c:0:0",
            .client_id = "ada",
            .name = std::move(name),
            .encoding = "json",
            .data = std::move(data),
            .timestamp = 1'700'000'000'123};
}

void expect_command(const protocol::Message& in, const ChatCommand& expected) {
    const auto parsed = parse_chat_command(in);
    ASSERT_TRUE(parsed) << parsed.error().message;
    ASSERT_TRUE(*parsed);
    EXPECT_EQ(**parsed, expected);
}

Error error_of(const protocol::Message& in) {
    const auto parsed = parse_chat_command(in);
    return parsed ? Error{} : parsed.error();
}

Error invalid(std::string why) { return {ErrorCode::invalid_message_data, std::move(why)}; }

}  // namespace

TEST(ChatCommand, reads_a_post_an_edit_and_a_delete) {
    expect_command(message("chatMsg", R"({"username":"Ada","content":"hi \u20ac"})"),
                   PostMessage{"c:0:0", "main", "Ada", "ada", "hi \xE2\x82\xAC", 1'700'000'000'123});
    expect_command(message("chatMsg", R"({"room":"tea","username":"Ada","content":"hi","extra":[{}]})"),
                   PostMessage{"c:0:0", "tea", "Ada", "ada", "hi", 1'700'000'000'123});
    expect_command(message("editedMsg", R"({"username":"Ada","content":"ho","msgIdToEdit":"c:0:0"})"),
                   EditMessage{"c:0:0", "ada", "ho", "c:0:0"});
    expect_command(message("deletedMsg", R"({"msgIdToDelete":"c:0:0"})"), DeleteMessage{"c:0:0", "ada"});
}

TEST(ChatCommand, takes_json_published_as_a_plain_text_too) {
    auto plain = message("deletedMsg", R"({"msgIdToDelete":"c:0:0"})");
    plain.encoding = "";
    expect_command(plain, DeleteMessage{"c:0:0", "ada"});
}

TEST(ChatCommand, leaves_other_names_alone_whatever_they_hold) {
    auto other = message("typing", "{");
    other.client_id = "";
    const auto parsed = parse_chat_command(other);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, std::nullopt);
}

TEST(ChatCommand, needs_to_know_the_author) {
    auto anonymous = message("chatMsg", R"({"username":"Ada","content":"hi"})");
    anonymous.client_id = "";
    EXPECT_EQ(error_of(anonymous).code, ErrorCode::identified_client_needed);
}

TEST(ChatCommand, says_what_is_wrong_with_the_data) {
    for (const auto* text :
         {"", "{", "[]", "7", R"("text")", R"({"content":7})", R"({"content":null})", R"({"username":"Ada","content":"hi"}x)"})
        EXPECT_EQ(error_of(message("chatMsg", text)), invalid("data is to be a JSON object whose known members are texts")) << text;
    EXPECT_EQ(error_of(message("chatMsg", R"({"content":"hi"})")), invalid("username is missing"));
    EXPECT_EQ(error_of(message("chatMsg", R"({"username":"","content":"hi"})")), invalid("username is empty"));
    EXPECT_EQ(error_of(message("chatMsg", R"({"username":"Ada","content":""})")), invalid("content is empty"));
    EXPECT_EQ(error_of(message("chatMsg", R"({"username":"A\u0000","content":"hi"})")), invalid("username has a NUL in it"));
    EXPECT_EQ(error_of(message("chatMsg", R"({"username":"Ada","content":"h\u0000i"})")), invalid("content has a NUL in it"));
    EXPECT_EQ(error_of(message("chatMsg", R"({"username":"Ada","content":"hi","room":""})")), invalid("room is empty"));
    EXPECT_EQ(error_of(message("editedMsg", R"({"content":"hi"})")), invalid("msgIdToEdit is missing"));
    EXPECT_EQ(error_of(message("deletedMsg", "{}")), invalid("msgIdToDelete is missing"));
    auto binary = message("chatMsg", "");
    binary.data = protocol::Binary{"{}"};
    EXPECT_EQ(error_of(binary), invalid("data is to be a JSON object"));
    auto encrypted = message("chatMsg", R"({"username":"Ada","content":"hi"})");
    encrypted.encoding = "json/utf-8/cipher+aes-256-cbc";
    EXPECT_EQ(error_of(encrypted), invalid("data is to be a JSON object"));
}

TEST(ChatCommand, refuses_what_nobody_can_see) {
    const auto refused = [](std::string field) { return invalid(field + " is empty: nothing in it can be seen"); };
    const std::vector<std::string> blanks{" ", R"(\n\t)", R"(\u200b)", R"(\u2800)", R"(\u3164)", R"(\u202e)", R"(\u00ad)",
                                          R"(\ufe0f \u0301)"};
    for (const auto& blank : blanks) {
        EXPECT_EQ(error_of(message("chatMsg", R"({"username":"Ada","content":")" + blank + "\"}")), refused("content")) << blank;
        EXPECT_EQ(error_of(message("chatMsg", R"({"username":")" + blank + R"(","content":"hi"})")), refused("username")) << blank;
        EXPECT_EQ(error_of(message("chatMsg", R"({"username":"Ada","content":"hi","room":")" + blank + "\"}")), refused("room")) << blank;
        EXPECT_EQ(error_of(message("editedMsg", R"({"msgIdToEdit":"c:0:0","content":")" + blank + "\"}")), refused("content")) << blank;
    }
    expect_command(message("editedMsg", R"({"msgIdToEdit":" ","content":"\u200bho "})"),
                   EditMessage{" ", "ada", "\xE2\x80\x8Bho ", "c:0:0"});
}

TEST(ChatCommand, bounds_names_in_characters_and_content_in_bytes) {
    const auto post = [](std::size_t username, std::size_t content) {
        std::string name;
        while (username-- > 0) name += "\xE2\x82\xAC";
        return error_of(message("chatMsg", R"({"username":")" + name + R"(","content":")" + std::string(content, 'x') + R"("})"));
    };
    EXPECT_EQ(post(username_characters_max, content_bytes_max), Error{});
    EXPECT_EQ(post(username_characters_max + 1, 1), invalid("username is too long"));
    EXPECT_EQ(post(1, content_bytes_max + 1), invalid("content is too long"));
}

}  // namespace functions
