#include "server/deflated_frames.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "base/random.hpp"
#include "server/outgoing_frames.hpp"

namespace server {
namespace {

using protocol::Format;

TEST(DeflatedFrames, a_frame_is_compressed_and_says_so) {
    DeflatedFrames frames;
    const auto frame = protocol::make_frame(Format::json, std::string(10'000, 'x')),
               other = protocol::make_frame(Format::msgpack, std::string(9'000, 'y'));
    const auto first = frames.of(frame);
    EXPECT_LT(first->size(), 200u);
    EXPECT_EQ(static_cast<unsigned char>(first->front()), 0xc1);  // final, compressed, text
    EXPECT_EQ(static_cast<unsigned char>(frames.of(other)->front()), 0xc2);
    EXPECT_EQ(frames.deflate().inflate(std::string_view{*first}.substr(first->size() < 128 ? 2 : 4), 10'000), std::string(10'000, 'x'));
}

TEST(DeflatedFrames, what_would_not_be_smaller_is_sent_as_it_is) {
    DeflatedFrames frames;
    for (const auto& payload : {std::string(base::limits::compressed_bytes_min - 1, 'x'), base::random_bytes(2'000)}) {
        const auto frame = protocol::make_frame(Format::msgpack, payload);
        EXPECT_EQ(*frames.of(frame), frame->bytes);
    }
}

TEST(OutgoingFrames, a_broadcast_is_compressed_and_copied_once) {
    DeflatedFrames deflated;
    OutgoingFrames frames{&deflated};
    const auto frame = protocol::make_frame(Format::json, std::string(10'000, 'x')), other = protocol::make_frame(Format::json, "y");
    const auto first = frames.of(frame);
    EXPECT_LT(first.size(), 200u);
    EXPECT_EQ(frames.of(frame).bytes().data(), first.bytes().data());
    EXPECT_EQ(frames.of(other).bytes(), other->bytes);
    EXPECT_NE(frames.of(frame).bytes().data(), first.bytes().data());
    EXPECT_EQ(frames.of(frame).bytes(), first.bytes());
}

}  // namespace
}  // namespace server
