#include "protocol/frame_size.hpp"

#include <gtest/gtest.h>

#include "protocol/codec.hpp"

namespace protocol {
namespace {

constexpr auto limit = base::limits::frame_bytes_max;

/// Texts whose encoded forms are longer than they are, each in its own way.
const std::vector<std::string> texts{"", "plain", std::string(300, '\1'), std::string(300, '"'), std::string(300, '\x7f'),
                                     "\xf0\x9f\x98\x80"};
const std::vector<std::string> jsons{"", R"({"a":[1,22,333,-4444,12345678901]})", "[1.5,2.5,0.1,1e5,.5]", R"(["",{},[],null,true])"};

std::size_t larger(const ProtocolMessage& message) {
    return std::max(encode(Format::json, message).size(), encode(Format::msgpack, message).size());
}

TEST(FrameSize, no_message_is_encoded_to_more_than_the_bound_says) {
    for (const auto& text : texts) {
        for (const auto& json : jsons) {
            MessageVersion version{text, 1'800'000'000'000, text, text, {json}};
            for (const auto& data : {Data{}, Data{text}, Data{Binary{text}}}) {
                const Message message{text, text, text, {}, text, text, data, {json}, 1'800'000'000'000,
                                      MessageAction::update, text, version, {json}};
                EXPECT_LE(larger({.messages = {message}}), encoded_bytes_most(message)) << text << json;
                const PresenceMessage member{text, text, text, text, data, {json}, 1'800'000'000'000, PresenceAction::update};
                EXPECT_LE(larger({.presence = {member}}), encoded_bytes_most(member)) << text << json;
                const Annotation annotation{text,   text,  text, text, text, data, {json}, 1'800'000'000'000, AnnotationAction::remove,
                                            text, text, text, 1'000'000};
                EXPECT_LE(larger({.annotations = {annotation}}), encoded_bytes_most(annotation)) << text << json;
            }
        }
    }
}

TEST(FrameSize, what_fits_is_what_goes_out_within_the_limit_in_both_formats) {
    const auto with = [](std::string data) { return ProtocolMessage{.messages = {{.data = std::move(data)}}}; };
    EXPECT_TRUE(fits_frame(with(std::string(500'000, 'x'))));
    EXPECT_FALSE(fits_frame(with(std::string(limit, 'x'))));
    EXPECT_TRUE(fits_frame(with(std::string(base::limits::message_bytes_max, '\1'))));
    EXPECT_FALSE(fits_frame(with(std::string(100'000, '\1'))));
    ProtocolMessage many{.messages = std::vector<Message>(1'000, Message{.data = std::string(60, '\n')})};
    EXPECT_TRUE(fits_frame(many));
    for (auto& each : many.messages) each.id = std::string(100, 'x');
    EXPECT_TRUE(fits_frame(many));
    for (auto& each : many.messages) each.encoding = std::string(2'000, 'x');
    EXPECT_FALSE(fits_frame(many));
    EXPECT_FALSE(fits_frame(Message{.data = Binary{std::string(400'000, 'x')}}));
}

TEST(FrameSize, extras_are_measured_where_the_bound_is_too_wide) {
    std::string list = "[0";
    while (list.size() < 300'000) list += ",0";
    EXPECT_TRUE(fits_frame(Message{.extras = {list + "]"}}));  // in MessagePack half of it
    std::string numbers = "[1.5";
    while (numbers.size() < 300'000) numbers += ",1.5";
    EXPECT_FALSE(fits_frame(Message{.extras = {numbers + "]"}}));  // in MessagePack more than twice
}

TEST(FrameSize, a_list_goes_in_parts_of_so_many_bytes_and_elements) {
    const auto sizes = [](const auto& parts) {
        std::vector<std::size_t> all;
        for (const auto& part : parts) all.push_back(part.size());
        return all;
    };
    std::vector<PresenceMessage> members(5);
    for (auto& each : members) each.data = std::string(200'000, 'x');
    EXPECT_EQ(sizes(in_parts(members)), (std::vector<std::size_t>{2, 2, 1}));
    EXPECT_EQ(sizes(in_parts(members, 1)), (std::vector<std::size_t>{1, 1, 1, 1, 1}));
    EXPECT_EQ(sizes(in_parts(members, SIZE_MAX, 4)), (std::vector<std::size_t>{4, 1}));
    EXPECT_EQ(sizes(in_parts(std::vector<PresenceMessage>{})), (std::vector<std::size_t>{0}));
    EXPECT_EQ(count_within(members, 10, 500'000), 2u);
    EXPECT_EQ(count_within(members, 10, 1), 1u);
    EXPECT_EQ(count_within(members, 1, 500'000), 1u);
    EXPECT_EQ(count_within(std::vector<PresenceMessage>{}, 10, 1), 0u);
}

}  // namespace
}  // namespace protocol
