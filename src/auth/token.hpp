#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/apps.hpp"
#include "auth/channel_claims.hpp"
#include "base/clock.hpp"

/// Tokens are JWTs signed with a key's secret (HS256, `kid` = key name), whether we issue them (POST /keys/{keyName}/requestToken)
/// or the user's own server does: one format, one check, nothing to store.
namespace auth {

using base::Time;

/// Who a connection or request is, after its credentials were checked.
struct Identity {
    AppPtr app;
    std::string key_name;
    std::string client_id;          // empty: none of its own; "*": may act as any client (RSA7b4)
    Capability capability;
    std::optional<Time> expires;    // of the token; none for Basic auth
    std::optional<RevocableToken> revocable;  // a token whose key has revocable ones
    std::shared_ptr<const ChannelClaims> channel_claims = nullptr;  // of a JWT that has some

    const std::string& app_id() const { return app->id; }
    /// May this identity act as `wanted`? (RSL1m4, RTL6g3) Who has the key itself may be anyone; a token without a clientId, nobody.
    bool may_be(std::string_view wanted) const {
        const bool has_key = !expires.has_value();
        return wanted.empty() || client_id == wanted || client_id == "*" || (client_id.empty() && has_key);
    }
};

/// TK2, as an SDK signs it. `capability` is the JSON text as it was signed; empty means the key's own.
struct TokenRequest {
    std::string key_name, client_id, capability, nonce, mac;
    std::optional<std::int64_t> ttl_ms, timestamp_ms;
};

/// TD.
struct TokenDetails {
    std::string token, key_name, client_id, capability;
    std::int64_t issued_ms = 0, expires_ms = 0;
};

inline constexpr auto token_ttl_default = std::chrono::hours{1};   // RSA9e, TK2a
inline constexpr auto token_request_window = std::chrono::minutes{2};  // how far another machine's clock may be off

/// The MAC (base64) of the text an SDK signs (RSA9g): what `GET /auth` needs to make a TokenRequest, and requestToken to check one.
std::string sign(const TokenRequest& request, std::string_view secret);

/// Fills mac (and a nonce, when there is none).
TokenRequest make_token_request(const Key& key, std::string client_id, const Capability& capability, Time now);

/// Exchanges a signed request, or an unsigned one that came with the key itself (`authenticated`), for a token.
/// The caller has seen to it that the nonce is new. Errors: invalid_credentials (mac), timestamp_not_current, bad_request and
/// capability_denied (malformed; nothing left after narrowing), invalid_client_id, invalid_parameter_value (ttl, nonce).
Result<TokenDetails> issue_token(const Key& key, const TokenRequest& request, bool authenticated, Time now);

/// A JWT made by us or by anybody who has the key's secret: HS256 and nothing else. Claims read: exp, which it must have, iat, nbf,
/// x-ably-capability (the key's when there is none, and never more than the key's), x-ably-clientId, x-ably-revocation-key and those of
/// ChannelClaims. Or
/// somebody else's JWT that has such a one inside, in its header or as a claim: x-ably-token. Nothing of it counts but its exp.
/// Errors: invalid_jwt, token_expired, token_revoked, not_found and invalid_credentials (unknown app or key), invalid_client_id (empty,
/// too long, control characters), invalid_parameter_value (lives too long), bad_request and capability_denied as issue_token.
Result<Identity> check_token(const Apps& apps, std::string_view token, Time now);

/// Errors as Apps::check.
Result<Identity> check_key(const Apps& apps, std::string_view key_text);

/// JSON as REST carries it. Errors: invalid_body, invalid_client_id (empty).
Result<TokenRequest> token_request_from_json(std::string_view json);
std::string to_json(const TokenRequest& request);
std::string to_json(const TokenDetails& details);

/// HMAC-SHA256, raw bytes.
std::string hmac_sha256(std::string_view secret, std::string_view text);
/// Compares without telling by its time how much was equal.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace auth
