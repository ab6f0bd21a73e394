#include "stats/fixtures.hpp"

#include <gtest/gtest.h>

using namespace stats;
using namespace std::chrono;

namespace {

TEST(Fixtures, G3_are_read_as_suites_write_them) {
    Counters counters;
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, int>>{{"inbound.realtime.messages.count", 70},
                                                                                        {"inbound.realtime.messages.data", 7000},
                                                                                        {"persisted.presence.count", 20},
                                                                                        {"connections.peak", 20},
                                                                                        {"channels.opened", 30},
                                                                                        {"apiRequests.failed", 10},
                                                                                        {"tokenRequests.succeeded", 60}}) {
        EXPECT_TRUE(counters.set(name, value));
    }
    const std::string one = R"({"intervalId":"2026-02-03:15:05","inbound":{"realtime":{"messages":{"count":70,"data":7000}}},)"
                            R"("persisted":{"presence":{"count":20}},"connections":{"tls":{"peak":20}},"channels":{"opened":30},)"
                            R"("apiRequests":{"failed":10},"tokenRequests":{"succeeded":60},"unknown":{"count":[7]}})";
    const Fixture fixture{.minute = sys_days{2026y / February / 3} + 15h + 5min, .counters = counters};
    EXPECT_EQ(parse_fixtures(one), std::vector{fixture});
    EXPECT_EQ(parse_fixtures("[" + one + "," + one + "]"), (std::vector{fixture, fixture}));
    EXPECT_EQ(parse_fixtures("[]"), std::vector<Fixture>{});
}

TEST(Fixtures, what_is_none_is_refused) {
    for (const auto* json :
         {"", "7", "[7]", "{}", R"({"intervalId":7})", R"({"intervalId":"2026"})", R"([{"intervalId":"2026-02-03:15:05"},{}])"}) {
        const auto fixtures = parse_fixtures(json);
        ASSERT_FALSE(fixtures) << json;
        EXPECT_EQ(fixtures.error().code, base::ErrorCode::invalid_body) << json;
    }
}

}  // namespace
