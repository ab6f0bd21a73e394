#include "realtime/delta.hpp"

#include <gtest/gtest.h>

#include "protocol/vcdiff_decoder.test.hpp"

namespace realtime {
namespace {

using protocol::Binary;
using protocol::Message;

const std::string one = R"({"foo":"bar","count":1,"status":"active"})", two = R"({"foo":"bar","count":2,"status":"active"})",
                  three = R"({"foo":"bar","count":2,"status":"inactive"})";

/// What is left of `message` when it is sent to who has `before`.
Message told_against(const Message& before, Message message) {
    std::vector messages{std::move(message)};
    make_deltas(messages, &before);
    return messages.front();
}
/// The data, decoded against what `base` says, when that is what it is.
std::string decoded(std::string_view base, const Message& message) {
    const auto* delta = std::get_if<Binary>(&message.data);
    return delta ? protocol::test::vcdiff_decode(base, delta->bytes) : "no delta";
}

TEST(Delta, RTL19c_text_is_told_by_what_changed_and_becomes_text_again) {
    const auto told = told_against({.id = "c:0:0", .data = one}, {.id = "c:1:0", .name = "n", .data = two});
    EXPECT_EQ(decoded(one, told), two);
    EXPECT_EQ(told, (Message{.id = "c:1:0",
                             .name = "n",
                             .encoding = "utf-8/vcdiff",
                             .data = told.data,
                             .extras = {R"({"delta":{"from":"c:0:0","format":"vcdiff"}})"}}));
}

TEST(Delta, RTL19_json_stays_json_and_bytes_stay_bytes) {
    const Message json{.id = "a", .encoding = "json", .data = one};
    EXPECT_EQ(told_against(json, {.encoding = "json", .data = two}).encoding, "json/utf-8/vcdiff");
    const auto bytes = told_against(json, {.data = Binary{two}});
    EXPECT_EQ(bytes.encoding, "vcdiff");
    EXPECT_EQ(decoded(one, bytes), two);
}

TEST(Delta, extras_keep_what_they_hold) {
    const auto extras = [](std::string text) {
        return told_against({.id = "a\"b", .data = one}, {.data = two, .extras = {std::move(text)}}).extras.text;
    };
    EXPECT_EQ(extras(R"({"headers":{"x":1e2},"ref":[ 1 ]})"),
              R"({"headers":{"x":1e2},"ref":[ 1 ],"delta":{"from":"a\"b","format":"vcdiff"}})");
    EXPECT_EQ(extras("{ }"), R"({"delta":{"from":"a\"b","format":"vcdiff"}})");
}

TEST(Delta, what_would_not_be_smaller_is_sent_whole) {
    const Message before{.id = "a", .data = "something else entirely"};
    for (const auto& message : {Message{.data = one}, Message{.data = "else"}, Message{.data = ""}, Message{}}) {
        EXPECT_EQ(told_against(before, message), message);
    }
}

TEST(Delta, nothing_is_told_against_what_a_client_may_not_have_been_able_to_decode) {
    const Message whole{.data = two};
    for (const auto& before : {Message{.id = "a"}, Message{.id = "a", .encoding = "json", .data = one + "}"},
                               Message{.id = "a", .encoding = "json", .data = Binary{one}},
                               Message{.id = "a", .encoding = "utf-8/cipher+aes-256-cbc", .data = Binary{one}},
                               Message{.id = "a", .encoding = "unheard-of", .data = one}}) {
        EXPECT_EQ(told_against(before, whole), whole) << before.encoding;
    }
    const Message encrypted{.encoding = "cipher+aes-256-cbc", .data = Binary{two}};
    EXPECT_EQ(told_against({.id = "a", .data = one}, encrypted), encrypted);
}

TEST(Delta, RTL21_messages_of_one_frame_are_told_against_each_other) {
    std::vector<Message> messages{{.id = "1", .data = one}, {.id = "2", .data = two}, {.id = "3", .data = three}};
    make_deltas(messages, nullptr);
    EXPECT_EQ(messages[0], (Message{.id = "1", .data = one}));
    EXPECT_EQ(decoded(one, messages[1]), two);
    EXPECT_EQ(decoded(two, messages[2]), three);
    EXPECT_EQ(messages[2].extras.text, R"({"delta":{"from":"2","format":"vcdiff"}})");
}

TEST(Delta, a_publisher_has_no_say_in_it) {
    const auto left = [](std::string text) {
        protocol::JsonText extras{std::move(text)};
        drop_delta(extras);
        return extras.text;
    };
    EXPECT_EQ(left(""), "");
    EXPECT_EQ(left(R"({ "headers": {"delta":1} })"), R"({ "headers": {"delta":1} })");
    EXPECT_EQ(left(R"({"delta":{"from":"x"}})"), "");
    EXPECT_EQ(left(R"({"a":1,"d\u0065lta":2,"b":3})"), R"({"a":1,"b":3})");
}

}  // namespace
}  // namespace realtime
