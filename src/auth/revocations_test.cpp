#include "auth/revocations.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/limits.hpp"

using namespace auth;
using namespace std::chrono_literals;
using base::ErrorCode;

namespace {

const Time now = base::from_ms(1'800'000'000'000);

Revocation revocation(std::string target, Time issued_before = now, Time applies_at = now) {
    return {.key_name = "app.key", .target = std::move(target), .issued_before = issued_before, .applies_at = applies_at};
}

/// A log that is read in the test.
struct Log final : RevocationLog {
    explicit Log(std::vector<Revocation>& kept) : all(kept) {}
    Result<void> append(std::span<const Revocation> added) override {
        if (broken) return base::fail(ErrorCode::internal_error, "broken");
        all.insert(all.end(), added.begin(), added.end());
        return {};
    }
    Result<void> replace(std::span<const Revocation> everything) override {
        all.assign(everything.begin(), everything.end());
        return {};
    }
    std::vector<Revocation>& all;
    bool broken = false;
};

class RevocationsTest : public testing::Test {
protected:
    void revoke(std::vector<Revocation> list, Time at = now) { ASSERT_TRUE(revocations.add(list, at)); }
    std::optional<Time> revoked(RevocableToken token, std::string_view key_name = "app.key") const {
        return revocations.revoked_from(key_name, token, Capability::parse(R"({"foo:*":["subscribe"]})").value());
    }

    Revocations revocations;
    const RevocableToken ann{.issued = now - 1s, .client_id = "ann", .revocation_key = "group"};
};

TEST_F(RevocationsTest, name_tokens_by_client_by_revocation_key_or_by_a_resource_of_the_capability) {
    for (const char* target : {"clientId:ann", "revocationKey:group", "channel:foo:*"}) {
        Revocations one;
        ASSERT_TRUE(one.add(std::vector{revocation(target)}, now));
        EXPECT_EQ(one.revoked_from("app.key", ann, Capability::parse(R"({"foo:*":["*"]})").value()), now) << target;
    }
    revoke({revocation("clientId:bob"), revocation("revocationKey:ann"), revocation("clientId:group"), revocation("channel:foo:bar"),
            revocation("channel:*:*"), revocation("channel:*")});
    EXPECT_EQ(revoked(ann), std::nullopt);
}

TEST_F(RevocationsTest, concern_tokens_of_their_key_that_were_issued_before) {
    revoke({revocation("clientId:ann", now)});
    EXPECT_EQ(revoked(ann), now);
    EXPECT_EQ(revoked({.issued = now, .client_id = "ann", .revocation_key = {}}), std::nullopt);
    EXPECT_EQ(revoked(ann, "app.other"), std::nullopt);
}

TEST_F(RevocationsTest, apply_from_the_earliest_time_that_any_of_them_says) {
    revoke({revocation("clientId:ann", now, now + 30s), revocation("revocationKey:group", now, now + 20s)});
    EXPECT_EQ(revoked(ann), now + 20s);
    revoke({revocation("clientId:ann", now - 1min, now)});  // of older tokens
    EXPECT_EQ(revoked(ann), now + 20s);
    EXPECT_EQ(revoked({.issued = now - 2min, .client_id = "ann", .revocation_key = {}}), now);
}

TEST_F(RevocationsTest, are_forgotten_once_every_token_they_could_concern_has_expired) {
    std::vector<Revocation> kept;
    const std::vector before{revocation("clientId:old", now - 61min), revocation("clientId:ann")};
    ASSERT_TRUE(revocations.keep_in(std::make_unique<Log>(kept), before, now));
    EXPECT_EQ(kept, std::vector{revocation("clientId:ann")});
    EXPECT_EQ(revoked(ann), now);
    revoke({revocation("clientId:bob", now + 61min, now + 61min)}, now + 61min);
    EXPECT_EQ(revoked(ann), std::nullopt);
}

TEST_F(RevocationsTest, are_kept_in_the_log_before_they_apply) {
    std::vector<Revocation> kept;
    auto log = std::make_unique<Log>(kept);
    auto& broken = log->broken;
    ASSERT_TRUE(revocations.keep_in(std::move(log), {}, now));
    revoke({revocation("clientId:bob")});
    EXPECT_EQ(kept, std::vector{revocation("clientId:bob")});
    broken = true;
    EXPECT_EQ(revocations.add(std::vector{revocation("clientId:ann")}, now).error().code, ErrorCode::internal_error);
    EXPECT_EQ(revoked(ann), std::nullopt);
}

TEST_F(RevocationsTest, the_log_is_written_anew_when_most_of_it_is_needless) {
    std::vector<Revocation> kept;
    ASSERT_TRUE(revocations.keep_in(std::make_unique<Log>(kept), {}, now));
    std::size_t longest = 0;
    for (int i = 0; i < 3'000; ++i) {
        revoke({revocation("clientId:ann", now + base::milliseconds{i}, now + base::milliseconds{0})});
        longest = std::max(longest, kept.size());
    }
    EXPECT_LT(longest, 1'010u);
    EXPECT_EQ(revoked(ann), now);
}

TEST_F(RevocationsTest, D5_there_are_only_so_many) {
    std::vector<Revocation> many;
    for (std::size_t i = 0; i < base::limits::revocations_max; ++i) many.push_back(revocation("clientId:" + std::to_string(i)));
    revoke(many);
    EXPECT_EQ(revocations.add(std::vector{revocation("clientId:ann")}, now).error().code, ErrorCode::rate_limit_exceeded);
    revoke({revocation("clientId:ann", now + 2h, now + 2h)}, now + 2h);
}

TEST(RevocationTarget, is_a_type_and_a_value) {
    for (const char* good : {"clientId:a", "revocationKey:a:b", "channel:foo:*", "clientId::"}) EXPECT_TRUE(check_revocation_target(good));
    for (const char* bad : {"", ":", "a", "clientId", "clientId:", "clientid:a", "invalidType:abc", ":a"}) {
        EXPECT_EQ(check_revocation_target(bad).error().code, ErrorCode::bad_request) << bad;
    }
}

}  // namespace
