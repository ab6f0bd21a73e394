#include "protocol/frame.hpp"

#include <gtest/gtest.h>

#include "protocol/codec.hpp"

using namespace protocol;
using namespace std::string_literals;

namespace {

std::string header_of(Format format, std::size_t payload_bytes) {
    const auto frame = make_frame(format, std::string(payload_bytes, 'x'));
    EXPECT_EQ(frame->payload(), std::string(payload_bytes, 'x'));
    return frame->bytes.substr(0, frame->payload_offset);
}

}  // namespace

TEST(Frame, RFC6455_header_is_final_unmasked_and_says_text_or_binary) {
    EXPECT_EQ(header_of(Format::json, 5), "\x81\x05");
    EXPECT_EQ(header_of(Format::msgpack, 5), "\x82\x05");
}

TEST(Frame, RFC6455_length_takes_7_16_or_64_bits) {
    EXPECT_EQ(header_of(Format::json, 0), "\x81\0"s);
    EXPECT_EQ(header_of(Format::json, 125), "\x81\x7d");
    EXPECT_EQ(header_of(Format::json, 126), "\x81\x7e\0\x7e"s);
    EXPECT_EQ(header_of(Format::json, 65'535), "\x81\x7e\xff\xff");
    EXPECT_EQ(header_of(Format::json, 65'536), "\x81\x7f\0\0\0\0\0\x01\0\0"s);
}

TEST(Frame, holds_a_message_in_its_format) {
    const ProtocolMessage message{.action = Action::attached, .channel = "a"};
    EXPECT_EQ(make_frame(Format::json, message)->bytes, "\x81\x1b{\"action\":11,\"channel\":\"a\"}");
    EXPECT_EQ(make_frame(Format::msgpack, message)->payload(), encode(Format::msgpack, message));
}

TEST(Size, TM6_counts_name_client_id_extras_and_data) {
    Message message{.id = "id", .client_id = "12", .name = "123", .encoding = "json", .data = "4567"s, .extras = {"{\"a\":1}"}};
    EXPECT_EQ(size_of(message), 2u + 3u + 4u + 7u);
    message.data = Binary{std::string(10, '\0')};
    EXPECT_EQ(size_of(message), 2u + 3u + 10u + 7u);
    message.data = {};
    EXPECT_EQ(size_of(message), 2u + 3u + 7u);
}

TEST(Size, TP5_of_a_presence_message_has_no_name) {
    EXPECT_EQ(size_of(PresenceMessage{.id = "id", .client_id = "12", .data = "345"s}), 5u);
}

TEST(ErrorCodes, every_code_has_its_status_and_others_are_500) {
    EXPECT_EQ(http_status(ErrorCode::bad_request), 400);
    EXPECT_EQ(http_status(ErrorCode::capability_denied), 401);
    EXPECT_EQ(http_status(ErrorCode::rate_limit_exceeded), 429);
    EXPECT_EQ(http_status(ErrorCode{12345}), 500);
}
