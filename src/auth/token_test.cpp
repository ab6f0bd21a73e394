#include "auth/token.hpp"

#include <gtest/gtest.h>

#include "auth/app.test.hpp"
#include "base/base64.hpp"
#include "base/limits.hpp"

using namespace auth;
using namespace std::chrono_literals;
using base::ErrorCode;

namespace {

const Time now = base::from_ms(1'800'000'000'123);
const std::string key_text = "app.key:secret";
const std::string header = R"({"typ":"JWT","alg":"HS256","kid":"app.key"})";

test::OneApp make_apps(std::string_view capability = R"({"*":["*"]})") {
    return test::OneApp{Capability::parse(capability).value(), key_text};
}

std::string jwt(std::string_view claims, std::string_view with_header = header, std::string_view secret = "secret") {
    const auto text = base::base64url_encode(with_header) + '.' + base::base64url_encode(claims);
    return text + '.' + base::base64url_encode(hmac_sha256(secret, text));
}

ErrorCode refused(std::string_view token, Time at = now) {
    const auto identity = check_token(make_apps(), token, at);
    EXPECT_FALSE(identity) << token;
    return identity ? ErrorCode{} : identity.error().code;
}

TokenRequest signed_request() {
    TokenRequest request{
        .key_name = "app.key", .client_id = "c1", .capability = R"({"chat:*":["subscribe"]})", .nonce = "0123456789abcdef"};
    request.ttl_ms = 3'600'000;
    request.timestamp_ms = base::to_ms(now);
    request.mac = sign(request, "secret");
    return request;
}

ErrorCode refused(const TokenRequest& request, bool authenticated) {
    const auto apps = make_apps();
    const auto details = issue_token(*apps.find_key("app.key"), request, authenticated, now);
    EXPECT_FALSE(details) << to_json(request);
    return details ? ErrorCode{} : details.error().code;
}

/// `change` is made to the request before it is signed.
template <class Change>
ErrorCode refused_although_signed(Change&& change) {
    auto request = signed_request();
    change(request);
    request.mac = sign(request, "secret");
    return refused(request, false);
}

}  // namespace

TEST(TokenRequest, RSA9g_signs_its_fields_as_lines) {
    TokenRequest request{.key_name = "app.key", .client_id = "c1", .capability = R"({"*":["*"]})", .nonce = "0123456789abcdef"};
    request.ttl_ms = 3'600'000;
    request.timestamp_ms = 1'800'000'000'000;
    EXPECT_EQ(sign(request, "secret"), "6rJleWrvL1BLIe5HCtoN5W1ggk5EAT72w13EQmvofWY=");
}

TEST(TokenRequest, RSA9g_an_absent_field_is_an_empty_line) {
    TokenRequest request{.key_name = "app.key", .nonce = "0123456789abcdef"};
    request.timestamp_ms = 1'800'000'000'000;
    EXPECT_EQ(sign(request, "secret"), "rOg9PVWgTpsCSIkW0mlcPf1Y+XpQRKHDRUmirDM7MY4=");
}

TEST(TokenRequest, RSA7_a_client_id_that_is_there_is_not_empty) {
    EXPECT_EQ(token_request_from_json(R"({"clientId":""})").error().code, ErrorCode::invalid_client_id);
    EXPECT_TRUE(token_request_from_json(R"({"clientId":null})"));
}

TEST(TokenRequest, one_of_ours_is_exchanged_for_a_token_that_is_accepted) {
    const auto apps = make_apps();
    const auto& key = *apps.find_key("app.key");
    const auto capability = Capability::parse(R"({"chat:*":["subscribe"]})").value();
    const auto request = make_token_request(key, "c1", capability, now);
    EXPECT_GE(request.nonce.size(), 16u);
    EXPECT_NE(make_token_request(key, "c1", capability, now).nonce, request.nonce);

    const auto sent = token_request_from_json(to_json(request));
    ASSERT_TRUE(sent);
    const auto details = issue_token(key, *sent, false, now + 1min);
    ASSERT_TRUE(details) << details.error().message;
    EXPECT_EQ(details->key_name, "app.key");
    EXPECT_EQ(details->client_id, "c1");
    EXPECT_EQ(details->capability, R"({"chat:*":["subscribe"]})");
    EXPECT_EQ(details->issued_ms, base::to_ms(now + 1min));
    EXPECT_EQ(details->expires_ms, base::to_ms(now + 1min + 1h));

    const auto identity = check_token(apps, details->token, now + 1min);
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->app_id(), "app");
    EXPECT_EQ(identity->key_name, "app.key");
    EXPECT_EQ(identity->client_id, "c1");
    EXPECT_EQ(identity->capability, capability);
    EXPECT_EQ(identity->expires, now + 1min + 1h);
}

TEST(TokenRequest, its_mac_covers_every_field) {
    const std::vector<void (*)(TokenRequest&)> changes{
        [](TokenRequest& request) { request.mac[0] = request.mac[0] == 'A' ? 'B' : 'A'; },
        [](TokenRequest& request) { request.mac += '='; },
        [](TokenRequest& request) { request.client_id = "c2"; },
        [](TokenRequest& request) { request.capability = R"({"*":["*"]})"; },
        [](TokenRequest& request) { request.nonce += 'x'; },
        [](TokenRequest& request) { request.ttl_ms = 3'600'001; },
        [](TokenRequest& request) { request.ttl_ms = {}; },
        [](TokenRequest& request) { ++*request.timestamp_ms; },
        [](TokenRequest& request) { request.key_name = "app.other"; },
        [](TokenRequest& request) { request.key_name = ""; },
        [](TokenRequest& request) { request.mac = ""; },
    };
    for (const auto change : changes) {
        auto request = signed_request();
        change(request);
        EXPECT_EQ(refused(request, false), ErrorCode::invalid_credentials) << to_json(request);
    }
    auto forged = signed_request();
    forged.mac[0] = forged.mac[0] == 'A' ? 'B' : 'A';
    EXPECT_EQ(refused(forged, true), ErrorCode::invalid_credentials);
}

TEST(TokenRequest, RSA9d_its_timestamp_must_be_current) {
    for (const auto off : {-2min - 1ms, 2min + 1ms}) {
        EXPECT_EQ(refused_although_signed([&](auto& request) { *request.timestamp_ms += off.count(); }),
                  ErrorCode::timestamp_not_current);
    }
    EXPECT_EQ(refused_although_signed([](auto& request) { request.timestamp_ms = {}; }), ErrorCode::timestamp_not_current);
    EXPECT_EQ(refused_although_signed([](auto& request) { request.timestamp_ms = INT64_MIN; }), ErrorCode::timestamp_not_current);
}

TEST(TokenRequest, RSA9e_its_ttl_is_bounded) {
    for (const std::int64_t ttl : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{86'400'001}, INT64_MAX}) {
        EXPECT_EQ(refused_although_signed([&](auto& request) { request.ttl_ms = ttl; }), ErrorCode::invalid_parameter_value);
    }
}

TEST(TokenRequest, RSA9f_its_capability_narrows_the_keys) {
    const auto apps = make_apps(R"({"chat:*":["publish","subscribe"]})");
    const auto& key = *apps.find_key("app.key");
    const auto issued = [&](std::string capability) {
        return issue_token(key, {.key_name = "app.key", .capability = std::move(capability)}, true, now);
    };
    EXPECT_EQ(issued("")->capability, R"({"chat:*":["publish","subscribe"]})");
    EXPECT_EQ(issued(R"({"*":["*"]})")->capability, R"({"chat:*":["publish","subscribe"]})");
    EXPECT_EQ(issued(R"({"chat:7":["subscribe","history"]})")->capability, R"({"chat:7":["subscribe"]})");
    EXPECT_EQ(issued(R"({"other":["publish"]})").error().code, ErrorCode::capability_denied);
    EXPECT_EQ(issued("{}").error().code, ErrorCode::capability_denied);
    EXPECT_EQ(issued(R"({"chat:7":[]})").error().code, ErrorCode::bad_request);
}

TEST(TokenRequest, an_unsigned_one_needs_the_key_itself) {
    const auto apps = make_apps();
    const auto details = issue_token(*apps.find_key("app.key"), {}, true, now);
    ASSERT_TRUE(details);
    EXPECT_EQ(details->expires_ms - details->issued_ms, 3'600'000);
    EXPECT_EQ(check_token(apps, details->token, now)->client_id, "");
    EXPECT_EQ(refused(TokenRequest{}, false), ErrorCode::invalid_credentials);
    EXPECT_EQ(refused(TokenRequest{.key_name = "app.other"}, true), ErrorCode::invalid_credentials);
}

TEST(TokenRequest, no_field_can_pose_as_two_lines) {
    EXPECT_EQ(refused_although_signed([](auto& request) { request.client_id = "c1\n1800000000123"; }), ErrorCode::invalid_client_id);
    EXPECT_EQ(refused_although_signed([](auto& request) { request.nonce += "\n0"; }), ErrorCode::invalid_parameter_value);
    EXPECT_EQ(refused_although_signed([](auto& request) { request.capability += '\n'; }), ErrorCode::invalid_parameter_value);
    EXPECT_EQ(refused_although_signed([](auto& request) { request.nonce = ""; }), ErrorCode::invalid_parameter_value);
}

TEST(TokenRequest, RSA7_its_client_id_is_bounded) {
    auto request = TokenRequest{.client_id = std::string(base::limits::client_id_bytes_max + 1, 'c')};
    EXPECT_EQ(refused(request, true), ErrorCode::invalid_client_id);
    request.client_id.pop_back();
    const auto apps = make_apps();
    EXPECT_TRUE(issue_token(*apps.find_key("app.key"), request, true, now));
}

TEST(TokenRequest, TE_json_of_every_shape_an_SDK_sends) {
    const auto request = token_request_from_json(
        R"({"keyName":"app.key","ttl":null,"capability":{"a": ["*"]},"clientId":"c","timestamp":1.8e12,)"
        R"("nonce":"n","mac":"m","future":[1]})");
    ASSERT_TRUE(request);
    EXPECT_EQ(
        to_json(*request),
        R"({"keyName":"app.key","capability":"{\"a\": [\"*\"]}","clientId":"c","timestamp":1800000000000,"nonce":"n","mac":"m"})");
    const auto as_text = token_request_from_json(R"({"ttl":"3600000","timestamp":"1800000000000"})");
    ASSERT_TRUE(as_text);
    EXPECT_EQ(to_json(*as_text), R"({"ttl":3600000,"timestamp":1800000000000})");
    for (const char* bad :
         {"", "[]", R"({"ttl":"x"})", R"({"ttl":""})", R"({"ttl":"1.5"})", R"({"timestamp":"1 "})",
          R"({"ttl":1.5})", R"({"keyName":1})", R"({"capability":["*"]})", R"({"mac":"m"}x)"}) {
        EXPECT_EQ(token_request_from_json(bad).error().code, ErrorCode::invalid_body) << bad;
    }
}

TEST(TokenDetails, TD_json_has_what_is_known) {
    EXPECT_EQ(
        to_json(TokenDetails{
            .token = "t", .key_name = "k", .client_id = "c", .capability = R"({"*":["*"]})", .issued_ms = 1, .expires_ms = 2}),
        R"({"token":"t","keyName":"k","issued":1,"expires":2,"capability":"{\"*\":[\"*\"]}","clientId":"c"})");
}

TEST(Token, a_JWT_made_elsewhere_is_accepted) {
    const auto identity = check_token(make_apps(),
                                      "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImFwcC5rZXkifQ."
                                      "eyJpYXQiOjE4MDAwMDAwMDAsImV4cCI6MTgwMDAwMzYwMCwieC1hYmx5LWNhcGFiaWxpdHkiOiJ7XCJjaGF0OipcIj"
                                      "pbXCJzdWJzY3JpYmVcIl19IiwieC1hYmx5LWNsaWVudElkIjoiYzEifQ."
                                      "DaZPtUhLJJ2TuWUmYKpUc2UqLw-utkAX7BH-lUSZw7w",
                                      now);
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->client_id, "c1");
    EXPECT_EQ(identity->capability.to_json(), R"({"chat:*":["subscribe"]})");
    EXPECT_EQ(identity->expires, base::from_ms(1'800'003'600'000));
}

TEST(Token, lives_until_its_expiry_to_the_millisecond) {
    const auto apps = make_apps();
    TokenRequest request;
    request.ttl_ms = 1;
    const auto token = issue_token(*apps.find_key("app.key"), request, true, now)->token;
    EXPECT_TRUE(check_token(apps, token, now));
    EXPECT_EQ(refused(token, now + 1ms), ErrorCode::token_expired);
}

TEST(Token, needs_an_expiry_and_must_not_be_from_the_future) {
    EXPECT_EQ(refused(jwt("{}")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(R"({"exp":null})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(R"({"exp":1800000121,"iat":1800000121})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(R"({"exp":1800000121,"nbf":1800000121})")), ErrorCode::invalid_jwt);
    EXPECT_TRUE(check_token(make_apps(), jwt(R"({"exp":1800000121,"iat":1800000120,"nbf":1800000120})"), now));
    for (const char* exp : {"-1", "1e300", "253402300800", "\"1800003600\"", "true"}) {
        EXPECT_EQ(refused(jwt(R"({"exp":)" + std::string{exp} + "}")), ErrorCode::invalid_jwt) << exp;
    }
}

TEST(Token, only_HS256_by_a_key_of_ours_counts) {
    const auto claims = R"({"exp":1800003600})";
    EXPECT_EQ(refused(jwt(claims, R"({"alg":"none","kid":"app.key"})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(base::base64url_encode(R"({"alg":"none","kid":"app.key"})") + '.' + base::base64url_encode(claims) + '.'),
              ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(claims, R"({"alg":"HS512","kid":"app.key"})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(claims, R"({"kid":"app.key"})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(claims, R"({"alg":"HS256","kid":"app.key","crit":["x"]})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(claims, R"({"alg":"HS256","kid":"app.other"})")), ErrorCode::invalid_credentials);
    EXPECT_EQ(refused(jwt(claims, R"({"alg":"HS256"})")), ErrorCode::invalid_credentials);
    EXPECT_EQ(refused(jwt(claims, header, "other")), ErrorCode::invalid_jwt);
    const auto token = jwt(claims);
    EXPECT_TRUE(check_token(make_apps(), token, now));
    EXPECT_EQ(refused(token.substr(0, token.size() - 1)), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(token.substr(0, token.rfind('.') + 1)), ErrorCode::invalid_jwt);
}

TEST(Token, refuses_what_is_not_a_JWT) {
    for (const auto& bad : {std::string{}, std::string{"a"}, std::string{"a.b"}, std::string{"..."}, std::string{"a.b.c"},
                            key_text, jwt("[]"), jwt("{"), jwt(R"({"exp":1800003600})", "[]"), jwt(R"({"exp":1800003600})", "{"),
                            jwt(R"({"exp":1800003600,"x-ably-clientId":1})")}) {
        EXPECT_EQ(refused(bad), ErrorCode::invalid_jwt) << bad;
    }
}

TEST(Token, RSA7_its_client_id_is_checked) {
    const auto with_client = [](std::string_view client_id) {
        return jwt(R"({"exp":1800003600,"x-ably-clientId":")" + std::string{client_id} + "\"}");
    };
    EXPECT_EQ(refused(with_client("")), ErrorCode::invalid_client_id);
    EXPECT_EQ(refused(with_client("a\\nb")), ErrorCode::invalid_client_id);
    EXPECT_EQ(refused(with_client(std::string(base::limits::client_id_bytes_max + 1, 'c'))), ErrorCode::invalid_client_id);
    EXPECT_EQ(check_token(make_apps(), with_client("*"), now)->client_id, "*");
}

TEST(Token, its_capability_is_never_more_than_the_keys) {
    const auto apps = make_apps(R"({"chat:*":["subscribe"]})");
    const auto granted = [&](std::string_view capability) {
        return check_token(apps, jwt(R"({"exp":1800003600,"x-ably-capability":)" + std::string{capability} + "}"), now);
    };
    EXPECT_EQ(granted("null")->capability.to_json(), R"({"chat:*":["subscribe"]})");
    EXPECT_EQ(granted(R"("{\"*\":[\"*\"]}")")->capability.to_json(), R"({"chat:*":["subscribe"]})");
    EXPECT_EQ(granted(R"({"chat:7":["subscribe","publish"]})")->capability.to_json(), R"({"chat:7":["subscribe"]})");
    EXPECT_EQ(granted(R"("{\"x\":[\"*\"]}")").error().code, ErrorCode::capability_denied);
    EXPECT_EQ(granted(R"("x")").error().code, ErrorCode::bad_request);
}

namespace {

/// The app's key has revocable tokens.
class RevocableTokenTest : public testing::Test {
protected:
    RevocableTokenTest() {
        auto key = parse_key(key_text, Capability::parse(R"({"chat:*":["*"]})").value()).value();
        key.revocable_tokens = true;
        App app{.id = "app"};
        EXPECT_TRUE(app.add(std::move(key)) && apps.add(std::move(app)));
    }
    void revoke(std::string target, Time issued_before, Time applies_at) {
        ASSERT_TRUE(apps.revocations().add(std::vector<Revocation>{{"app.key", std::move(target), issued_before, applies_at}}, now));
    }
    ErrorCode refused(std::string_view shown, Time at = now) const {
        const auto identity = check_token(apps, shown, at);
        return identity ? ErrorCode{} : identity.error().code;
    }

    Apps apps;
    const std::string token = jwt(R"({"iat":1800000000,"exp":1800003600,"x-ably-clientId":"ann","x-ably-revocation-key":"group"})");
};

}  // namespace

TEST_F(RevocableTokenTest, says_by_what_it_can_be_revoked) {
    EXPECT_EQ(check_token(apps, token, now)->revocable,
              (RevocableToken{.issued = base::from_ms(1'800'000'000'000), .client_id = "ann", .revocation_key = "group"}));
    EXPECT_EQ(check_token(make_apps(), token, now)->revocable, std::nullopt);
}

TEST_F(RevocableTokenTest, RSA17_is_good_until_a_revocation_applies) {
    for (const char* target : {"clientId:bob", "clientId:group", "channel:chat:1"}) revoke(target, now, now);
    EXPECT_TRUE(check_token(apps, token, now));
    revoke("channel:chat:*", now, now + 30s);
    EXPECT_TRUE(check_token(apps, token, now + 29s));
    EXPECT_EQ(refused(token, now + 30s), ErrorCode::token_revoked);
    revoke("clientId:ann", now, now);
    EXPECT_EQ(refused(token), ErrorCode::token_revoked);
    EXPECT_TRUE(check_token(apps, jwt(R"({"iat":1800000001,"exp":1800003600,"x-ably-clientId":"ann"})"), now));  // issued later
}

TEST_F(RevocableTokenTest, says_when_it_was_issued_and_lives_an_hour_at_most) {
    EXPECT_EQ(refused(jwt(R"({"exp":1800003600})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(R"({"iat":1800000000,"exp":1800003601})")), ErrorCode::invalid_parameter_value);
    const auto key = apps.find_key("app.key");
    EXPECT_TRUE(check_token(apps, issue_token(*key, {}, true, now)->token, now));
    EXPECT_EQ(issue_token(*key, {.ttl_ms = 3'600'001}, true, now).error().code, ErrorCode::invalid_parameter_value);
}

TEST(Token, lives_as_long_as_its_key_lets_tokens_live) {
    const auto app_with = [](std::chrono::seconds most) {
        auto key = parse_key(key_text).value();
        key.token_ttl_max = most;
        return test::OneApp{std::move(key)};
    };
    const auto code = [](const test::OneApp& apps, std::string_view claims) {
        const auto identity = check_token(apps, jwt(claims), now);
        return identity ? ErrorCode{} : identity.error().code;
    };
    const auto day = make_apps();
    EXPECT_EQ(code(day, R"({"iat":1800000000,"exp":1800086400})"), ErrorCode{});
    EXPECT_EQ(code(day, R"({"iat":1800000000,"exp":1800086401})"), ErrorCode::invalid_parameter_value);
    EXPECT_EQ(code(day, R"({"iat":1799999000,"exp":1800086000})"), ErrorCode::invalid_parameter_value);
    EXPECT_EQ(code(day, R"({"exp":1800086400})"), ErrorCode{});
    EXPECT_EQ(code(day, R"({"exp":1800086521})"), ErrorCode::invalid_parameter_value);
    EXPECT_EQ(code(day, R"({"exp":253402300799})"), ErrorCode::invalid_parameter_value);

    const auto short_lived = app_with(15min);
    EXPECT_EQ(code(short_lived, R"({"iat":1800000000,"exp":1800000900})"), ErrorCode{});
    EXPECT_EQ(code(short_lived, R"({"iat":1800000000,"exp":1800000901})"), ErrorCode::invalid_parameter_value);
    const auto& key = *short_lived.find_key("app.key");
    EXPECT_EQ(issue_token(key, {.ttl_ms = 900'001}, true, now).error().code, ErrorCode::invalid_parameter_value);
    EXPECT_EQ(issue_token(key, {}, true, now)->expires_ms, base::to_ms(now + 15min));

    EXPECT_EQ(code(app_with(48h), R"({"iat":1800000000,"exp":1800172800})"), ErrorCode{});
    const auto around = jwt(R"({"exp":1800086000,"x-ably-token":")" + jwt(R"({"iat":1799000000,"exp":1800086400})") + "\"}",
                            R"({"alg":"HS256"})", "theirs");
    EXPECT_EQ(check_token(day, around, now).error().code, ErrorCode::invalid_parameter_value);
}

TEST(Token, its_claims_about_channels_are_its_owners) {
    const auto identity = check_token(make_apps(), jwt(R"({"exp":1800003600,"ably.channel.chat:*":"mod","ably.channel.a":{"b": 1},)"
                                                       R"("ably.limits.publish.perAttachment.maxRate.*":0.1,"ably.other":[]})"), now);
    ASSERT_TRUE(identity) << identity.error().message;
    ASSERT_TRUE(identity->channel_claims);
    EXPECT_EQ(*identity->channel_claims->user_claim("chat:1"), "mod");
    EXPECT_EQ(*identity->channel_claims->user_claim("a"), R"({"b": 1})");
    EXPECT_EQ(identity->channel_claims->user_claim("b"), nullptr);
    EXPECT_EQ(*identity->channel_claims->publish_rate("b"), 0.1);
    EXPECT_FALSE(check_token(make_apps(), jwt(R"({"exp":1800003600})"), now)->channel_claims);
    EXPECT_EQ(refused(jwt(R"({"exp":1800003600,"ably.limits.publish.perAttachment.maxRate.a":"10"})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(R"({"exp":1800003600,"ably.limits.publish.perAttachment.maxRate.a":-1})")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(jwt(R"({"exp":1800003600,"ably.channel.a":")" + std::string(user_claim_bytes_max + 1, 'x') + "\"}")),
              ErrorCode::invalid_jwt);
}

TEST(EmbeddedToken, counts_instead_of_the_one_around_it_wherever_it_is) {
    const auto apps = make_apps();
    const auto inner = jwt(R"({"exp":1800003600,"x-ably-clientId":"ann"})");
    const auto in_header =
        jwt(R"({"exp":1800003600,"x-ably-clientId":"eve"})", R"({"alg":"RS256","x-ably-token":")" + inner + "\"}", "theirs");
    const auto in_claims = jwt(R"({"sub":"x","x-ably-token":")" + inner + "\"}", R"({"alg":"HS256","kid":"their-key"})", "theirs");
    const auto encrypted = base::base64url_encode(R"({"alg":"dir","enc":"A128GCM","x-ably-token":")" + inner + "\"}") + "..iv.text.tag";
    for (const auto& token : {in_header, in_claims, encrypted}) {
        const auto identity = check_token(apps, token, now);
        ASSERT_TRUE(identity) << identity.error().message;
        EXPECT_EQ(identity->client_id, "ann");
        EXPECT_EQ(identity->expires, base::from_ms(1'800'003'600'000));
    }
}

TEST(EmbeddedToken, is_checked_as_any_other_and_not_outlived) {
    const auto around = [](const std::string& inner, std::string_view exp) {
        return jwt(R"({"exp":)" + std::string{exp} + R"(,"x-ably-token":")" + inner + "\"}", R"({"alg":"HS256"})", "theirs");
    };
    const auto inner = jwt(R"({"exp":1800003600})");
    EXPECT_EQ(check_token(make_apps(), around(inner, "1800000060"), now)->expires, base::from_ms(1'800'000'060'000));
    EXPECT_EQ(refused(around(inner, "1800003601")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(around(inner, "1799999999")), ErrorCode::token_expired);
    EXPECT_EQ(refused(around(jwt(R"({"exp":1800003600})", header, "guessed"), "1800003600")), ErrorCode::invalid_jwt);
    EXPECT_EQ(refused(around(around(inner, "1800003600"), "1800003600")), ErrorCode::invalid_credentials);
    EXPECT_EQ(refused(around("x", "1800003600")), ErrorCode::invalid_jwt);
}

TEST(Key, Basic_auth_is_anonymous_and_has_the_keys_capability) {
    const auto apps = make_apps(R"({"a":["publish"]})");
    const auto identity = check_key(apps, key_text);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->app_id(), "app");
    EXPECT_EQ(identity->key_name, "app.key");
    EXPECT_EQ(identity->client_id, "");
    EXPECT_EQ(identity->capability.to_json(), R"({"a":["publish"]})");
    EXPECT_EQ(identity->expires, std::nullopt);
    EXPECT_EQ(check_key(apps, "app.key:wrong").error().code, ErrorCode::invalid_credentials);
}
