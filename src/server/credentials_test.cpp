#include "server/credentials.hpp"

#include <gtest/gtest.h>

#include "auth/app.test.hpp"
#include "base/base64.hpp"

namespace server {
namespace {

using base::ErrorCode;

const base::Time now = base::from_ms(1'800'000'000'000);

class Credentials : public testing::Test {
protected:
    std::string token(std::string client_id) const {
        const auto& key = *apps.find_key("app.key");
        return auth::issue_token(key, {.key_name = key.name, .client_id = std::move(client_id)}, true, now).value().token;
    }
    base::Result<auth::Identity> identify(net::HttpRequest request) const { return server::identify(request, apps, now); }
    static net::HttpRequest query(std::multimap<std::string, std::string> params) { return {.query = std::move(params)}; }
    static net::HttpRequest header(std::string value) { return {.headers = {{"authorization", std::move(value)}}}; }

    auth::test::OneApp apps;
};

TEST_F(Credentials, RSC7_are_taken_from_the_header_or_the_query) {
    EXPECT_EQ(identify(header("Basic " + base::base64_encode("app.key:secret")))->key_name, "app.key");
    EXPECT_EQ(identify(query({{"key", "app.key:secret"}}))->key_name, "app.key");
    EXPECT_EQ(identify(header("Bearer " + token("ann")))->client_id, "ann");
    EXPECT_EQ(identify(header("Bearer " + base::base64_encode(token("ann"))))->client_id, "ann");
    EXPECT_EQ(identify(query({{"access_token", token("ann")}}))->client_id, "ann");
}

TEST_F(Credentials, RFC9110_11_4_the_scheme_is_of_any_case_and_blanks_may_follow_it) {
    for (const std::string scheme : {"basic ", "BASIC   ", "Basic\t"}) {
        EXPECT_EQ(identify(header(scheme + base::base64_encode("app.key:secret")))->key_name, "app.key") << scheme;
    }
    for (const std::string scheme : {"bearer ", "BEARER   "})
        EXPECT_EQ(identify(header(scheme + token("ann")))->client_id, "ann") << scheme;
    EXPECT_EQ(identify(header("Basically x")).error().code, ErrorCode::unauthorized);
}

TEST_F(Credentials, none_or_bad_ones_are_refused) {
    EXPECT_EQ(identify({}).error().code, ErrorCode::unauthorized);
    EXPECT_EQ(identify(header("Digest x")).error().code, ErrorCode::unauthorized);
    EXPECT_EQ(identify(header("Basic %%%")).error().code, ErrorCode::invalid_credentials);
    EXPECT_FALSE(identify(query({{"key", "app.key:wrong"}})));
    EXPECT_FALSE(identify(query({{"access_token", "nonsense"}})));
}

TEST_F(Credentials, RSA15_a_token_allows_its_own_client_id_only) {
    EXPECT_EQ(identify(query({{"access_token", token("ann")}, {"clientId", "ann"}}))->client_id, "ann");
    EXPECT_EQ(identify(query({{"access_token", token("ann")}, {"clientId", "bob"}})).error().code, ErrorCode::incompatible_credentials);
    EXPECT_EQ(identify(query({{"access_token", token("")}, {"clientId", "bob"}})).error().code, ErrorCode::incompatible_credentials);
    EXPECT_EQ(identify(query({{"access_token", token("*")}, {"clientId", "bob"}}))->client_id, "bob");
    EXPECT_EQ(identify(query({{"key", "app.key:secret"}, {"clientId", "bob"}}))->client_id, "bob");
}

TEST_F(Credentials, RTN2_a_connection_is_asked_for_by_the_query) {
    const auto request = connect_request(query({{"key", "app.key:secret"},
                                                {"v", "3"},
                                                {"echo", "false"},
                                                {"heartbeats", "false"},
                                                {"resume", "k"},
                                                {"remainPresentFor", "5000"}}),
                                         apps, now);
    ASSERT_TRUE(request);
    EXPECT_FALSE(request->options.echo);
    EXPECT_FALSE(request->options.heartbeats);
    EXPECT_EQ(request->resume_key, "k");
    EXPECT_EQ(request->options.presence_grace, std::chrono::seconds{5});
}

TEST_F(Credentials, appendRollupWindow_is_half_a_second_at_most_and_none_unless_asked_for) {
    const auto window = [&](const char* text) {
        return connect_request(query({{"key", "app.key:secret"}, {"appendRollupWindow", text}}), apps, now)->options.append_window.count();
    };
    EXPECT_EQ(window("40"), 40);
    EXPECT_EQ(window("500"), 500);
    EXPECT_EQ(window("501"), 500);
    EXPECT_EQ(window("-1"), 0);
    EXPECT_EQ(window("x"), 0);
    EXPECT_EQ(connect_request(query({{"key", "app.key:secret"}}), apps, now)->options.append_window.count(), 0);
}

TEST_F(Credentials, CSV2_versions_2_to_6_are_spoken) {
    for (const char* version : {"2", "6"})
        EXPECT_TRUE(connect_request(query({{"key", "app.key:secret"}, {"v", version}}), apps, now)) << version;
    for (const char* version : {"1", "1.2", "7", "x", ""}) {
        EXPECT_EQ(connect_request(query({{"key", "app.key:secret"}, {"v", version}}), apps, now).error().code,
                  ErrorCode::unsupported_protocol_version);
    }
}

}  // namespace
}  // namespace server
