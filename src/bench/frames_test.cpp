#include "bench/frames.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace bench {
namespace {

std::string server_frame(unsigned char first, std::string_view payload) {
    std::string bytes{static_cast<char>(first)};
    if (payload.size() < 126) {
        bytes += static_cast<char>(payload.size());
    } else if (payload.size() < 65'536) {
        bytes += static_cast<char>(126);
        for (const int shift : {8, 0}) bytes += static_cast<char>(payload.size() >> shift);
    } else {
        bytes += static_cast<char>(127);
        for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(payload.size() >> shift);
    }
    return bytes.append(payload);
}

TEST(Frames, are_taken_one_by_one_and_the_rest_stays) {
    const auto bytes = server_frame(0x81, "one") + server_frame(0x82, std::string(300, '2')) + server_frame(0x89, "") + "\x81";
    std::string_view left = bytes;
    const auto one = take_frame(left), two = take_frame(left), ping = take_frame(left);
    ASSERT_TRUE(one && two && ping);
    EXPECT_EQ(one->opcode, Opcode::text);
    EXPECT_EQ(one->payload, "one");
    EXPECT_EQ(two->opcode, Opcode::binary);
    EXPECT_EQ(two->payload, std::string(300, '2'));
    EXPECT_EQ(ping->opcode, Opcode::ping);
    EXPECT_FALSE(take_frame(left));
    EXPECT_EQ(left, "\x81");
}

TEST(Frames, no_part_of_one_is_taken_for_it) {
    for (const std::size_t size : {0u, 125u, 126u, 65'535u, 65'536u}) {
        const auto bytes = server_frame(0x82, std::string(size, 'x'));
        for (std::size_t part : {std::size_t{0}, std::size_t{1}, std::size_t{3}, bytes.size() - 1}) {
            if (part >= bytes.size()) continue;
            auto left = std::string_view{bytes}.substr(0, part);
            EXPECT_FALSE(take_frame(left)) << size << " " << part;
            EXPECT_EQ(left.size(), part);
        }
        std::string_view whole = bytes;
        const auto frame = take_frame(whole);
        ASSERT_TRUE(frame);
        EXPECT_EQ(frame->payload.size(), size);
        EXPECT_TRUE(whole.empty());
    }
}

TEST(Frames, a_client_masks_them_with_zeros) {
    std::string out;
    append_frame(out, Opcode::text, "hi");
    EXPECT_EQ(out, std::string("\x81\x82\0\0\0\0hi", 8));
    out.clear();
    append_frame(out, Opcode::binary, std::string(300, 'x'));
    EXPECT_EQ(out.substr(0, 8), std::string("\x82\xfe\x01\x2c\0\0\0\0", 8));
    out.clear();
    append_frame(out, Opcode::binary, std::string(70'000, 'x'));
    EXPECT_EQ(out.substr(0, 10), std::string("\x82\xff\0\0\0\0\0\x01\x11\x70", 10));
    EXPECT_EQ(out.size(), 14 + 70'000u);
}

}  // namespace
}  // namespace bench
