#include "base/log.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace base::log {
namespace {

/// The fields of a line as a reader of the log takes it apart; nothing when it is not one line of fields.
std::optional<std::vector<std::pair<std::string, std::string>>> fields_of(std::string_view line) {
    std::vector<std::pair<std::string, std::string>> fields;
    while (!line.empty()) {
        const auto equals = line.find_first_of("= \"");
        if (equals == line.npos || line[equals] != '=') return std::nullopt;
        auto& [name, value] = fields.emplace_back(line.substr(0, equals), "");
        line.remove_prefix(equals + 1);
        if (line.starts_with('"')) {
            for (line.remove_prefix(1); !line.empty() && line.front() != '"'; line.remove_prefix(1)) {
                if (line.front() == '\\') value += line.front(), line.remove_prefix(1);
                if (line.empty()) return std::nullopt;
                value += line.front();
            }
            if (line.empty()) return std::nullopt;
            line.remove_prefix(1);
        } else {
            const auto end = std::min(line.find(' '), line.size());
            value = line.substr(0, end);
            line.remove_prefix(end);
        }
        if (line.empty()) return fields;
        if (line.front() != ' ') return std::nullopt;
        line.remove_prefix(1);
    }
    return fields;
}

std::vector<std::string> hostile_texts() {
    std::vector<std::string> texts{"",
                                   "two words",
                                   "forged=field",
                                   "x\" at=forged y=\"",
                                   "\\",
                                   "\\\" at=forged",
                                   "x\nat=forged",
                                   "x\r\nat=forged",
                                   "\x1b[2K\x1b[1A",
                                   "\xE2\x80\xA8" "at=forged",  // line separator
                                   "\xE2\x80\xAE" "degrof",     // right-to-left override
                                   "\xC2\x85" "at=forged",      // next line
                                   "\xC2\x9B" "2K",             // a terminal's escape, as one character
                                   "\xC0\x8A" "at=forged",      // a line feed in too many bytes
                                   "\xE0\x80\x8A",
                                   "\xED\xA0\x80",              // half a surrogate pair
                                   "\xF0\x9F\x98",              // half an emoji
                                   "{} {0}"};
    for (int byte = 0; byte < 256; ++byte) {
        const auto c = static_cast<char>(byte);
        texts.push_back({c});
        texts.push_back({'a', c, 'b', '=', c});
        texts.push_back({c, '"', c, ' ', 'x', '=', c});
    }
    return texts;
}

bool is_printable(std::string_view line) {
    return std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
}

enum class Colour { red };
std::string format_as_text(Colour) { return "red\nat=forged"; }

}  // namespace
}  // namespace base::log

template <>
struct fmt::formatter<base::log::Colour> : fmt::formatter<std::string> {
    auto format(base::log::Colour colour, fmt::format_context& context) const {
        return fmt::formatter<std::string>::format(base::log::format_as_text(colour), context);
    }
};

namespace base::log {

TEST(Log, words_and_numbers_stay_as_they_are) {
    EXPECT_EQ(text_of("at=attach conn={} channel={} resumed={} bytes={} seconds={:.1f}", "Xk3", std::string{"room:7"}, true, 12u, 0.25),
              "at=attach conn=Xk3 channel=room:7 resumed=true bytes=12 seconds=0.2");
    EXPECT_EQ(text_of("at=x from={}/{} url=http://{}:{}", "0", "16B3748", "::1", 80), "at=x from=0/16B3748 url=http://::1:80");
    EXPECT_EQ(text_of("at=x reason=\"{}: {}\" action=\"goes on\"", "caf\xC3\xA9", 7), "at=x reason=\"caf\xC3\xA9: 7\" action=\"goes on\"");
}

TEST(Log, a_value_that_is_no_word_is_put_in_quotes) {
    EXPECT_EQ(text_of("at=x name={}", "two words"), "at=x name=\"two words\"");
    EXPECT_EQ(text_of("at=x name={}", ""), "at=x name=\"\"");
    EXPECT_EQ(text_of("at=x name={}", "caf\xC3\xA9"), "at=x name=\"caf\xC3\xA9\"");
    EXPECT_EQ(text_of("at=x name={}", '\n'), "at=x name=\"\\n\"");
}

TEST(Log, what_ends_a_line_or_a_field_is_escaped) {
    EXPECT_EQ(text_of("at=x name=\"{}\"", "a\n\r\t\"\\\x1b\xC2\x85\xE2\x80\xA8\xFF"), R"(at=x name="a\n\r\t\"\\\u001b\u0085\u2028\xff")");
}

TEST(Log, no_value_leaves_its_field) {
    for (const auto& text : hostile_texts()) {
        for (const auto& line : {text_of("at=x plain={} next=1", text), text_of("at=x plain=\"{}\" next={}", text, 1),
                                 text_of("at=x plain=\"a {} b {}\" next={}", text, text.c_str(), std::string_view{"1"})}) {
            const auto fields = fields_of(line);
            ASSERT_TRUE(fields) << line;
            ASSERT_EQ(fields->size(), 3u) << line;
            EXPECT_EQ(fields->at(0), (std::pair<std::string, std::string>{"at", "x"})) << line;
            EXPECT_EQ(fields->at(2), (std::pair<std::string, std::string>{"next", "1"})) << line;
            EXPECT_TRUE(is_printable(line)) << line;
        }
    }
}

TEST(Log, what_is_written_by_a_formatter_is_escaped_too) {
    EXPECT_EQ(text_of("at=x colour={}", Colour::red), R"(at=x colour="red\nat=forged")");
}

}  // namespace base::log
