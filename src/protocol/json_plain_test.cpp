#include "protocol/json_plain.hpp"

#include <gtest/gtest.h>

#include <string>

namespace protocol {
namespace {

TEST(PlainPrefix, ends_at_what_is_escaped_or_is_not_ascii_wherever_that_stands) {
    for (int byte = 0; byte < 256; ++byte) {
        const bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        for (std::size_t at = 0; at < 20; ++at) {
            auto text = std::string(20, '~');
            text[at] = static_cast<char>(byte);
            ASSERT_EQ(plain_prefix(text), plain ? text.size() : at) << byte;
        }
    }
    EXPECT_EQ(plain_prefix(""), 0u);
}

}  // namespace
}  // namespace protocol
