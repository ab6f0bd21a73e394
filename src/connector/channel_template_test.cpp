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

TEST(ChannelTemplate, keeps_a_value_within_its_part) {
    const auto refused = [](std::string_view text, std::vector<std::optional<std::string_view>> values) {
        const auto filled = parsed(text).fill(values);
        return !filled && filled.error().code == base::ErrorCode::invalid_channel_name;
    };
    EXPECT_TRUE(refused("room:{room}", {"a:b"}));
    EXPECT_TRUE(refused("room:{room}", {":"}));
    EXPECT_TRUE(refused("{org}:feed", {"private:x"}));
    EXPECT_TRUE(refused("org/{org}", {"a/b"}));
    EXPECT_TRUE(refused("chat-{room}", {"a:b"})) << "capabilities and namespaces go by ':'";
    EXPECT_TRUE(refused("{a}-{b}", {"x-y", "z"}));
    EXPECT_TRUE(refused("{a}-{b}", {"x", "y-z"}));
    EXPECT_EQ(parsed("room:{id}").fill({"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}), "room:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    EXPECT_EQ(parsed("user-{id}").fill({"x-1.5_y"}), "user-x-1.5_y");
    EXPECT_EQ(parsed("{channel}").fill({"room:a"}), "room:a") << "the column is all of the name";
    const auto error = parsed("room:{room}").fill({"a:secret"}).error().message;
    EXPECT_TRUE(error.contains("room") && error.contains("{room|any}") && !error.contains("secret")) << error;
}

TEST(ChannelTemplate, lets_a_value_be_anything_where_it_says_so) {
    const auto rooms = parsed("room:{room|any}");
    EXPECT_EQ(rooms.columns(), std::vector<std::string>{"room"});
    EXPECT_EQ(rooms.fill({"a:b"}), "room:a:b");
    EXPECT_FALSE(rooms.fill({"a\nb"}));
    EXPECT_FALSE(parsed("{a}:{b|any}").fill({"x:y", "z"})) << "the other column's is not";
    EXPECT_EQ(parsed("{a}:{b|any}").fill({"x", "y:z"}), "x:y:z");
    EXPECT_EQ(parsed("{|any}").columns(), std::vector<std::string>{"|any"}) << "a column of that name";
    EXPECT_FALSE(ChannelTemplate::parse("{a}{b}")) << "nothing separates them";
    EXPECT_FALSE(ChannelTemplate::parse("{a}x{b}"));
    EXPECT_EQ(parsed("{a|any}{b}").fill({"x", "y"}), "xy");
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
