#include "rest/answer.hpp"

#include <gtest/gtest.h>

namespace rest {
namespace {

using namespace std::chrono_literals;
using base::Result;

Result<HttpAnswer> answer(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
    return HttpAnswer{.status = status, .headers = std::move(headers), .body = std::move(body)};
}

TEST(Answer, each_parcel_has_its_own_result) {
    const auto outcome = outcome_of(answer(201, R"([{"successCount":1,"failureCount":0,"results":[{"channel":"a","messageId":"1"}]},
        {"successCount":0,"failureCount":1,"results":[{"channel":"b","error":{"code":40160,"statusCode":401,"message":"no"}}]}])",
                                           {{"palimpsest-order", "kept"}}),
                                    2);
    EXPECT_FALSE(outcome.request);
    ASSERT_EQ(outcome.parcels.size(), 2);
    EXPECT_FALSE(outcome.parcels[0]);
    EXPECT_EQ(outcome.parcels[1], (Refusal{.status = 401, .code = 40160, .message = "no", .retry_after = {}}));
    EXPECT_TRUE(outcome.keeps_order);
}

TEST(Answer, one_that_is_not_of_this_batch_is_none) {
    for (const auto* body :
         {"", "ok", "{}", "[]", "[{}]", R"([{"results":[]}])", R"([{"results":[1]}])", R"([{"results":[{}]},{"results":[{}]}])"}) {
        const auto outcome = outcome_of(answer(201, body), 1);
        ASSERT_TRUE(outcome.request) << body;
        EXPECT_EQ(remedy_of(*outcome.request), Remedy::wait) << body;
    }
}

TEST(Answer, a_refusal_of_it_all_says_when_to_come_again) {
    const auto outcome = outcome_of(answer(429, R"({"error":{"code":42910,"message":"slow\ndown"}})", {{"retry-after", "7"}}), 3);
    EXPECT_EQ(outcome.request, (Refusal{.status = 429, .code = 42910, .message = "slow down", .retry_after = 7s}));
}

TEST(Answer, nobody_makes_us_wait_for_ever) {
    EXPECT_EQ(refusal_of(answer(503, "", {{"retry-after", "999999"}}))->retry_after, base::limits::retry_after_max);
    EXPECT_EQ(refusal_of(answer(503, "", {{"retry-after", "soon"}}))->retry_after, std::nullopt);
}

TEST(Answer, what_can_be_done_goes_by_the_status) {
    for (const int status : {0, 302, 408, 429, 500, 503}) EXPECT_EQ(remedy_of({.status = status}), Remedy::wait) << status;
    for (const int status : {401, 403, 404}) EXPECT_EQ(remedy_of({.status = status}), Remedy::mend) << status;
    for (const int status : {400, 409, 413}) EXPECT_EQ(remedy_of({.status = status}), Remedy::none) << status;
}

TEST(Answer, an_error_keeps_the_code_that_we_know) {
    EXPECT_EQ(error_of({.status = 400, .code = 40009, .message = "large"}),
              (base::Error{base::ErrorCode::message_too_large, "large"}));
    EXPECT_EQ(error_of({.status = 400, .code = 40098, .message = "odd"}), (base::Error{base::ErrorCode::bad_request, "odd"}));
}

}  // namespace
}  // namespace rest
