#include "net/websocket_parser.hpp"

#include <random>

#include <gtest/gtest.h>

#include "net/permessage_deflate.hpp"

namespace net {
namespace {

struct Got {
    std::vector<std::pair<Opcode, std::string>> messages;
    std::optional<CloseCode> error;
    friend bool operator==(const Got&, const Got&) = default;
};

/// A client's frame, masked.
std::string client_frame(Opcode opcode, std::string_view payload, bool last = true, bool compressed = false) {
    std::string frame = websocket_frame(opcode, payload, compressed);
    if (!last) frame[0] = static_cast<char>(frame[0] & 0x7f);
    const auto header = frame.size() - payload.size();
    frame[1] = static_cast<char>(frame[1] | 0x80);
    const std::string mask = "\x11\x22\x33\x44";
    for (std::size_t i = 0; i < payload.size(); ++i) frame[header + i] = static_cast<char>(frame[header + i] ^ mask[i % 4]);
    frame.insert(header, mask);
    return frame;
}

/// Feeds the bytes in pieces, up to the first error.
Got feed(std::string bytes, const std::vector<std::size_t>& pieces = {}, std::size_t limit = 1'000, MessageDeflate* deflate = nullptr) {
    WebSocketParser parser{limit, deflate};
    Got got;
    std::size_t at = 0;
    for (std::size_t i = 0; at < bytes.size() && !got.error; ++i) {
        const auto size = i < pieces.size() ? std::min(pieces[i], bytes.size() - at) : bytes.size() - at;
        got.error = parser.feed(std::span<char>{bytes}.subspan(at, size),
                                [&](Opcode opcode, std::string_view payload) { got.messages.emplace_back(opcode, payload); });
        at += size;
    }
    return got;
}

TEST(WebSocketParser, RFC6455_5_2_reads_all_lengths) {
    for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65'535u, 65'536u, 70'000u}) {
        const std::string payload(size, 'x');
        EXPECT_EQ(feed(client_frame(Opcode::text, payload), {}, 100'000), (Got{{{Opcode::text, payload}}, {}})) << size;
    }
}

TEST(WebSocketParser, any_chunking_gives_the_same_messages) {
    const auto bytes = client_frame(Opcode::text, "first") + client_frame(Opcode::ping, "p") +
                       client_frame(Opcode::binary, std::string(300, 'y')) + client_frame(Opcode::text, "a", false) +
                       client_frame(Opcode::continuation, "b", false) + client_frame(Opcode::pong, "") +
                       client_frame(Opcode::continuation, "c");
    const Got whole = feed(bytes);
    ASSERT_EQ(whole.messages.size(), 5u);
    EXPECT_EQ(whole.messages[4], (std::pair{Opcode::text, std::string{"abc"}}));
    std::mt19937 random{1};
    for (int i = 0; i < 500; ++i) {
        std::vector<std::size_t> pieces;
        for (std::size_t sum = 0; sum < bytes.size(); sum += pieces.back()) pieces.push_back(1 + random() % 40);
        EXPECT_EQ(feed(bytes, pieces), whole);
    }
}

TEST(WebSocketParser, RFC6455_5_1_refuses_what_a_client_may_not_send) {
    const Got refused{{}, CloseCode::protocol_error};
    EXPECT_EQ(feed(websocket_frame(Opcode::text, "unmasked")), refused);
    auto reserved = client_frame(Opcode::text, "x");
    reserved[0] = static_cast<char>(reserved[0] | 0x40);
    EXPECT_EQ(feed(reserved), refused);
    EXPECT_EQ(feed(client_frame(static_cast<Opcode>(3), "x")), refused);
    EXPECT_EQ(feed(client_frame(Opcode::ping, std::string(126, 'x'))), refused);
    EXPECT_EQ(feed(client_frame(Opcode::ping, "x", false)), refused);
    EXPECT_EQ(feed(client_frame(Opcode::continuation, "x")), refused);
    EXPECT_EQ(feed(client_frame(Opcode::text, "x", false) + client_frame(Opcode::text, "y")), refused);
}

TEST(WebSocketParser, RFC6455_7_4_a_close_has_a_code_that_a_client_may_send_or_none) {
    const auto closing = [](unsigned code) { return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}; };
    for (const unsigned code : {1000u, 1001u, 1003u, 1007u, 1011u, 1014u, 3000u, 4999u}) {
        EXPECT_EQ(feed(client_frame(Opcode::close, closing(code) + "why")), (Got{{{Opcode::close, closing(code) + "why"}}, {}})) << code;
    }
    EXPECT_EQ(feed(client_frame(Opcode::close, "")), (Got{{{Opcode::close, ""}}, {}}));
    for (const unsigned code : {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65'535u}) {
        EXPECT_EQ(feed(client_frame(Opcode::close, closing(code))), (Got{{}, CloseCode::protocol_error})) << code;
    }
    EXPECT_EQ(feed(client_frame(Opcode::close, "\x03")), (Got{{}, CloseCode::protocol_error})) << "half a code";
}

TEST(WebSocketParser, a_message_is_bounded_whole_or_in_fragments) {
    EXPECT_EQ(feed(client_frame(Opcode::text, std::string(11, 'x')), {}, 10).error, CloseCode::too_big);
    EXPECT_EQ(feed(client_frame(Opcode::text, "123456", false) + client_frame(Opcode::continuation, "12345"), {}, 10).error,
              CloseCode::too_big);
    EXPECT_EQ(feed(client_frame(Opcode::text, std::string(10, 'x')), {}, 10).error, std::nullopt);
    const std::string endless("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff....", 14);
    EXPECT_EQ(feed(endless).error, CloseCode::too_big);
}

TEST(WebSocketParser, any_bytes_are_survived) {
    std::mt19937 random{7};
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes(random() % 64, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        const auto got = feed(bytes);
        for (const auto& [opcode, payload] : got.messages) EXPECT_LE(payload.size(), bytes.size());
    }
}

TEST(WebSocket, RFC6455_1_3_accepts_with_the_digest_of_the_key) {
    EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocket, RFC6455_5_5_1_a_close_frame_holds_its_code) {
    EXPECT_EQ(websocket_close_frame(CloseCode::too_big, "big"), std::string("\x88\x05\x03\xf1" "big", 7));
}

TEST(WebSocketParser, RFC7692_6_compressed_messages_are_inflated_whole_or_in_fragments) {
    MessageDeflate deflate;
    const auto payload = deflate.compress("hello, hello, hello");
    const auto bytes = client_frame(Opcode::text, payload, true, true) + client_frame(Opcode::text, "plain") +
                       client_frame(Opcode::binary, payload.substr(0, 3), false, true) + client_frame(Opcode::ping, "p") +
                       client_frame(Opcode::continuation, payload.substr(3));
    const Got expected{{{Opcode::text, "hello, hello, hello"},
                        {Opcode::text, "plain"},
                        {Opcode::ping, "p"},
                        {Opcode::binary, "hello, hello, hello"}},
                       {}};
    EXPECT_EQ(feed(bytes, {}, 1'000, &deflate), expected);
    EXPECT_EQ(feed(bytes, std::vector<std::size_t>(bytes.size(), 1), 1'000, &deflate), expected);
}

TEST(WebSocketParser, RFC7692_6_only_the_start_of_a_message_says_compressed_and_only_where_it_was_agreed) {
    MessageDeflate deflate;
    const auto payload = deflate.compress("hello");
    const Got refused{{}, CloseCode::protocol_error};
    EXPECT_EQ(feed(client_frame(Opcode::text, payload, true, true)), refused);
    EXPECT_EQ(feed(client_frame(Opcode::ping, payload, true, true), {}, 1'000, &deflate), refused);
    EXPECT_EQ(
        feed(client_frame(Opcode::text, "a", false) + client_frame(Opcode::continuation, payload, true, true), {}, 1'000, &deflate),
        refused);
}

TEST(WebSocketParser, RFC7692_7_2_2_what_inflates_to_too_much_or_to_nothing_ends_the_connection) {
    MessageDeflate deflate;
    const auto bomb = client_frame(Opcode::text, deflate.compress(std::string(100'000, 'x')), true, true);
    EXPECT_EQ(feed(bomb, {}, 1'000, &deflate), (Got{{}, CloseCode::too_big}));
    EXPECT_EQ(feed(client_frame(Opcode::text, "\xff\xff", true, true), {}, 1'000, &deflate), (Got{{}, CloseCode::invalid_payload}));
}

}  // namespace
}  // namespace net
