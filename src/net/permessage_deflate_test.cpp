#include "net/permessage_deflate.hpp"

#include <random>

#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::string_literals;

const std::string plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

TEST(AcceptDeflate, RFC7692_7_1_takes_the_first_offer_that_it_can_keep) {
    for (const auto* offers :
         {"permessage-deflate", "permessage-deflate; client_max_window_bits", "x-other, permessage-deflate",
          "permessage-deflate;client_max_window_bits=10 ; server_no_context_takeover; client_no_context_takeover",
          "permessage-deflate; server_max_window_bits=10, permessage-deflate",
          "permessage-deflate; client_max_window_bits=\"9\""}) {
        EXPECT_EQ(accept_deflate(offers), plain) << offers;
    }
    EXPECT_EQ(accept_deflate("permessage-deflate; server_max_window_bits=15"), plain + "; server_max_window_bits=15");
}

TEST(AcceptDeflate, RFC7692_7_1_declines_what_it_does_not_know_or_cannot_keep) {
    for (const auto* offers :
         {"", "x-webkit-deflate-frame", "permessage-deflate; other", "permessage-deflate; server_max_window_bits=8",
          "permessage-deflate; server_max_window_bits", "permessage-deflate; client_max_window_bits=7",
          "permessage-deflate; client_max_window_bits=16", "permessage-deflate; client_max_window_bits=010",
          "permessage-deflate; client_max_window_bits; client_max_window_bits", "permessage-deflate; server_no_context_takeover=1",
          "permessage-deflate;", "permessage-deflate; client_max_window_bits="}) {
        EXPECT_EQ(accept_deflate(offers), std::nullopt) << offers;
    }
}

TEST(MessageDeflate, what_is_compressed_inflates_to_what_it_was_whatever_came_before) {
    MessageDeflate sender, receiver;
    std::mt19937 random{1};
    for (int i = 0; i < 300; ++i) {
        std::string payload(random() % (i % 10 == 0 ? 200'000 : 2'000), '\0');
        const auto letters = 1 + random() % 256;
        for (auto& c : payload) c = static_cast<char>(random() % letters);
        EXPECT_EQ(receiver.inflate(sender.compress(payload), payload.size()), payload);
    }
}

TEST(MessageDeflate, RFC7692_7_2_3_reads_the_examples) {
    MessageDeflate deflate;
    EXPECT_EQ(deflate.inflate("\xf2\x48\xcd\xc9\xc9\x07\x00"s, 100), "Hello");                      // compressed
    EXPECT_EQ(deflate.inflate("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s, 100), "Hello");      // a block without compression
    EXPECT_EQ(deflate.inflate("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s, 100), "Hello");                  // a final block
    EXPECT_EQ(deflate.inflate("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s, 100), "Hello");  // two blocks
    EXPECT_EQ(deflate.inflate("\x00"s, 100), "");
}

TEST(MessageDeflate, a_bomb_is_not_inflated_beyond_the_bound) {
    MessageDeflate deflate;
    const auto bomb = deflate.compress(std::string(50'000'000, '\0'));
    EXPECT_LT(bomb.size(), 500'000u);
    EXPECT_EQ(deflate.inflate(bomb, 524'288), std::unexpected(CloseCode::too_big));
    EXPECT_EQ(deflate.inflate(deflate.compress("still there"), 100), "still there");
}

TEST(MessageDeflate, what_is_no_deflate_data_is_refused) {
    MessageDeflate deflate;
    for (const auto& garbage : {"\xff\xff\xff"s, "\x07garbage"s, "\x00\x05\x00\x00\x00hello"s}) {
        EXPECT_EQ(deflate.inflate(garbage, 1'000), std::unexpected(CloseCode::invalid_payload)) << garbage;
    }
}

}  // namespace
}  // namespace net
