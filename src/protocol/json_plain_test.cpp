#include "protocol/json_plain.hpp"

#include <gtest/gtest.h>

#include <string>

#include <fmt/format.h>

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

std::string escaped(std::string_view text) {
    std::string out(text.size() + escapes_in(text) * (escape_bytes_max - 1) + escaping_slack, '?');
    out.resize(static_cast<std::size_t>(escape(text, out.data()) - out.data()));
    return out;
}

TEST(Escape, is_of_quotes_backslashes_and_control_characters_wherever_they_stand) {
    for (int byte = 0; byte < 256; ++byte) {
        const auto one = static_cast<char>(byte);
        auto inside = byte < 0x20 ? fmt::format("\\u{:04x}", byte) : std::string{one};
        if (const auto named = std::string_view{"\"\\\n\r\t"}.find(one); named != std::string_view::npos)
            inside = {'\\', "\"\\nrt"[named]};
        for (std::size_t at = 0; at < 40; ++at) {
            auto text = std::string(40, '~'), wanted = text;
            text[at] = one;
            wanted.replace(at, 1, inside);
            ASSERT_EQ(escaped(text), wanted) << byte << " at " << at;
            ASSERT_EQ(escapes_in(text), inside.size() > 1 ? 1u : 0u) << byte << " at " << at;
            ASSERT_EQ(escaped_bytes(text), wanted.size()) << byte << " at " << at;
        }
    }
    EXPECT_EQ(escaped(""), "");
    EXPECT_EQ(escapes_in(std::string(10'000, '"')), 10'000u);
    EXPECT_EQ(escaped(std::string(100, '"')).size(), 200u);
}

}  // namespace
}  // namespace protocol
