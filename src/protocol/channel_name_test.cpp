#include "protocol/channel_name.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

using namespace protocol;
using namespace std::chrono_literals;

namespace {

using Params = std::map<std::string, std::string>;

ChannelName parsed(std::string_view name) { return parse_channel_name(name).value(); }

}  // namespace

TEST(ChannelName, a_plain_name_is_its_own_base) {
    const auto name = parsed("chat:room 7:émigrés");
    EXPECT_EQ(name.full, "chat:room 7:émigrés");
    EXPECT_EQ(name.base, name.full);
    EXPECT_EQ(name.params, Params{});
    EXPECT_EQ(name.qualifier, "");
}

TEST(ChannelName, RTL4k_params_may_stand_in_front) {
    const auto name = parsed("[?rewind=2m&delta=vc%64iff]incoming-chat");
    EXPECT_EQ(name.full, "[?rewind=2m&delta=vc%64iff]incoming-chat");
    EXPECT_EQ(name.base, "incoming-chat");
    EXPECT_EQ(name.params, (Params{{"rewind", "2m"}, {"delta", "vcdiff"}}));
    EXPECT_EQ(name.qualifier, "");
}

TEST(ChannelName, a_qualifier_is_kept_apart_from_its_params) {
    EXPECT_EQ(parsed("[meta]log").qualifier, "meta");
    EXPECT_EQ(parsed("[meta]log").base, "log");
    const auto filtered = parsed("[filter=bmFtZQ==?rewind=1]room]");
    EXPECT_EQ(filtered.qualifier, "filter=bmFtZQ==");
    EXPECT_EQ(filtered.base, "room]");
    EXPECT_EQ(filtered.params, (Params{{"rewind", "1"}}));
}

TEST(ChannelName, refuses_what_is_no_name) {
    const std::string too_long(base::limits::channel_name_bytes_max + 1, 'x');
    const std::string_view bad[] = {
        "",         ":a",        "a\nb",     "a\x7f",         "\xff",         "\xed\xa0\x80", "[",
        "[meta",    "[]a",       "[meta]",   "[?]a",          "[?a]a",        "[?=b]a",       "[?a=%g0]a",
        "[?a=%f]a", "[?a=%ff]a", "[meta]:a", "[meta][meta]a", "[?rewind=1&]", too_long};
    for (const auto name : bad) {
        const auto result = parse_channel_name(name);
        ASSERT_FALSE(result) << name;
        EXPECT_EQ(result.error().code, ErrorCode::invalid_channel_name) << name;
    }
    EXPECT_TRUE(parse_channel_name(std::string(base::limits::channel_name_bytes_max, 'x')));
}

TEST(Rewind, RTL4k_is_a_count_or_a_time_up_to_what_is_kept) {
    EXPECT_EQ(parse_rewind("5"), Rewind{std::size_t{5}});
    EXPECT_EQ(parse_rewind("100"), Rewind{std::size_t{100}});
    EXPECT_EQ(parse_rewind("101"), Rewind{std::size_t{100}});
    EXPECT_EQ(parse_rewind("30s"), Rewind{30'000ms});
    EXPECT_EQ(parse_rewind("2m"), Rewind{120'000ms});
    EXPECT_EQ(parse_rewind("4000000000m"), Rewind{120'000ms});
}

TEST(Rewind, refuses_anything_else) {
    for (const char* bad : {"", "x", "-1", "1h", "1.5m", "5 ", " 5", "m", "99999999999", "1ms"}) {
        const auto result = parse_rewind(bad);
        ASSERT_FALSE(result) << bad;
        EXPECT_EQ(result.error().code, ErrorCode::invalid_parameter_value) << bad;
    }
}
