#include "connector/channel_template.hpp"

#include <gtest/gtest.h>

#include "protocol/error_codes.hpp"

namespace connector {
namespace {

ChannelTemplate parsed(std::string_view text) { return ChannelTemplate::parse(text).value(); }

}  // namespace

TEST(ChannelTemplate, takes_columns_from_between_braces) {
    const auto rooms = parsed("a:{room}:{kind}!");
    EXPECT_EQ(rooms.columns(), (std::vector<std::string>{"room", "kind"}));
    EXPECT_EQ(rooms.prefix(), "a:");
    EXPECT_EQ(rooms.fill({"x y", "1"}), "a:x y:1!");
    EXPECT_FALSE(rooms.is_fixed());
}

TEST(ChannelTemplate, without_columns_is_a_name) {
    EXPECT_TRUE(parsed("notes").is_fixed());
    EXPECT_EQ(parsed("notes").fill({}), "notes");
    EXPECT_EQ(parsed("{{x}}").prefix(), "{x}");
}

TEST(ChannelTemplate, refuses_what_cannot_be_meant) {
    for (const auto* text : {"", "a{", "a{}", "a}", "[meta]a", ":a", "a\n"}) EXPECT_FALSE(ChannelTemplate::parse(text)) << text;
}

TEST(ChannelTemplate, refuses_values_that_make_no_channel_name) {
    const auto any = parsed("{x}");
    EXPECT_EQ(any.fill({"fine"}), "fine");
    for (const std::string_view value : {"", "[?rewind=1]a", ":a", "a\nb", "\xff"}) {
        EXPECT_EQ(any.fill({value}).error().code, base::ErrorCode::invalid_channel_name) << value;
    }
    EXPECT_FALSE(any.fill({std::nullopt}));
    EXPECT_FALSE(any.fill({std::string(3'000, 'x')}));
}

}  // namespace connector
