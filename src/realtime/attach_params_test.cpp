#include "realtime/attach_params.hpp"

#include <gtest/gtest.h>

#include "protocol/message.hpp"

namespace realtime {
namespace {

using namespace std::chrono_literals;
namespace flag = protocol::flag;
using Params = std::map<std::string, std::string>;

const base::Time now = base::from_ms(1'800'000'000'000);

TEST(AttachParams, RTL4k1_what_means_nothing_here_is_not_told_back) {
    const Params unknown{{"delta", "xdelta"}, {"occupancy", "moon"}, {"modes", "fly"}, {"rewindLimit", "x"}, {"appendMode", "some"},
                         {"x", "y"}};
    const auto params = attach_params(unknown, now);
    ASSERT_TRUE(params);
    EXPECT_EQ(params->kept, Params{});
    EXPECT_FALSE(params->modes);
    const Params known{{"delta", "vcdiff"}, {"occupancy", "metrics"}, {"rewind", "2m"}, {"rewindLimit", "7"}, {"appendMode", "full"}};
    EXPECT_EQ(attach_params(known, now)->kept, known);
}

TEST(AttachParams, RTL4m_modes_are_told_as_they_were_granted) {
    auto params = attach_params({{"modes", "subscribe,PUBLISH,fly"}}, now).value();
    EXPECT_EQ(params.modes, flag::subscribe | flag::publish);
    params.grant(flag::subscribe);
    EXPECT_EQ(params.kept, (Params{{"modes", "subscribe"}}));
    auto unasked = attach_params({}, now).value();
    unasked.grant(flag::subscribe);
    EXPECT_EQ(unasked.kept, Params{});
}

TEST(AttachParams, every_mode_has_its_name) {
    EXPECT_EQ(modes_text(flag::all_modes),
              "presence,publish,subscribe,presence_subscribe,annotation_publish,annotation_subscribe,object_subscribe,object_publish");
    EXPECT_EQ(parse_modes(modes_text(flag::all_modes)), flag::all_modes);
    EXPECT_EQ(parse_modes(""), std::nullopt);
    EXPECT_EQ(parse_modes(",,"), std::nullopt);
}

TEST(AttachParams, TB2c_a_rewind_is_a_count_or_a_time_with_a_limit_or_an_error) {
    EXPECT_EQ(attach_params({{"rewind", "5"}}, now)->from.last_messages, 5u);
    EXPECT_EQ(attach_params({{"rewind", "500"}}, now)->from.last_messages, 100u);
    const auto timed = attach_params({{"rewind", "30s"}}, now)->from;
    EXPECT_EQ(timed.since, now - 30s);
    EXPECT_FALSE(timed.last_messages);
    const auto limited = attach_params({{"rewind", "1m"}, {"rewindLimit", "10"}}, now)->from;
    EXPECT_EQ(limited.since, now - 60s);
    EXPECT_EQ(limited.last_messages, 10u);
    EXPECT_EQ(attach_params({{"rewind", "5"}, {"rewindLimit", "10"}}, now)->from.last_messages, 5u);
    EXPECT_EQ(attach_params({{"rewind", "1m"}, {"rewindLimit", "1000"}}, now)->from.last_messages, 100u);
    for (const Params& wrong : {Params{{"rewind", "soon"}}, {{"rewind", "-1"}}, {{"rewind", ""}}, {{"rewind", "1"}, {"rewindLimit", "0"}},
                                {{"rewind", "1"}, {"rewindLimit", "x"}}}) {
        const auto params = attach_params(wrong, now);
        ASSERT_FALSE(params);
        EXPECT_EQ(params.error().code, base::ErrorCode::invalid_parameter_value);
    }
}

}  // namespace
}  // namespace realtime
