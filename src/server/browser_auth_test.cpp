#include "server/browser_auth.hpp"

#include <gtest/gtest.h>

#include "auth/app.test.hpp"
#include "server/browser_identity.hpp"

namespace server {
namespace {

using auth::Operation;
using base::ErrorCode;

const base::Time now = base::from_ms(1'800'000'000'000);

class BrowserAuthTest : public testing::Test {
protected:
    base::Result<auth::Identity> reader(const net::HttpRequest& request) { return identify_reader(request, apps, browsers, now); }
    static net::HttpRequest with_cookie_of(const std::string& client_id) {
        const auto cookie = identity_cookie(client_id, "cookie secret", false, false);
        return {.headers = {{"cookie", cookie.substr(0, cookie.find(';'))}}};
    }

    auth::test::OneApp apps;
    std::optional<BrowserAuth> browsers =
        BrowserAuth{.key = apps.find_key("app.key"),
                    .capability_template = R"({"chat":["subscribe"],"of:<clientId>:<clientId>":["history"]})",
                    .cookie_secret = "cookie secret"};
};

TEST_F(BrowserAuthTest, a_browser_without_credentials_has_what_its_token_would_have) {
    const auto ann = reader(with_cookie_of("ann"));
    ASSERT_TRUE(ann) << ann.error().message;
    EXPECT_EQ(ann->client_id, "ann");
    EXPECT_TRUE(auth::has(ann->capability.on("of:ann:ann"), Operation::history));
    EXPECT_FALSE(auth::has(ann->capability.on("of:bob:bob"), Operation::history));
    EXPECT_FALSE(auth::has(ann->capability.on("chat"), Operation::history));

    const auto anybody = reader({});
    ASSERT_TRUE(anybody);
    EXPECT_FALSE(anybody->client_id.empty());
    EXPECT_NE(anybody->client_id, reader({})->client_id);
}

TEST_F(BrowserAuthTest, credentials_count_instead_right_or_wrong) {
    auto request = with_cookie_of("ann");
    request.query = {{"key", "app.key:secret"}};
    EXPECT_TRUE(auth::has(reader(request)->capability.on("chat"), Operation::history));
    request.query = {{"key", "app.key:wrong"}};
    EXPECT_FALSE(reader(request));
    request.query = {{"access_token", ""}};
    EXPECT_FALSE(reader(request));
    request = with_cookie_of("ann");
    request.headers.emplace("authorization", "Bearer nonsense");
    EXPECT_FALSE(reader(request));
}

TEST_F(BrowserAuthTest, where_browsers_get_no_tokens_credentials_are_needed) {
    browsers.reset();
    EXPECT_EQ(reader(with_cookie_of("ann")).error().code, ErrorCode::unauthorized);
}

}  // namespace
}  // namespace server
