#include "auth/token.hpp"

#include <algorithm>

#include "auth/jwt.hpp"
#include "base/base64.hpp"
#include "base/limits.hpp"
#include "base/random.hpp"

namespace auth {
namespace {

using base::ErrorCode;
using base::fail;
using base::to_ms;

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

/// Control characters are refused for what a line break would do in the text that is signed (RSA9g): a field for each line.
Result<void> check_client_id(std::string_view client_id) {
    if (client_id.size() > base::limits::client_id_bytes_max) {
        return fail(ErrorCode::invalid_client_id, "a clientId must not be longer than {} bytes", base::limits::client_id_bytes_max);
    }
    if (has_control_character(client_id)) return fail(ErrorCode::invalid_client_id, "a clientId must not contain control characters");
    return {};
}

/// What a token may do: the key's, narrowed to what was asked for, if anything was.
Result<Capability> narrowed(const Capability& of_key, std::string_view requested) {
    if (requested.empty()) return of_key;
    const auto capability = Capability::parse(requested);
    if (!capability) return std::unexpected(capability.error());
    auto both = of_key.intersect(*capability);
    if (both.empty()) return fail(ErrorCode::capability_denied, "the key grants nothing of the requested capability");
    return both;
}

/// Tokens that can be revoked do not live for long: revocations are forgotten after that.
std::chrono::seconds ttl_max(const Key& key) {
    return key.revocable_tokens ? std::min<std::chrono::seconds>(key.token_ttl_max, revocable_token_ttl_max) : key.token_ttl_max;
}

/// A leaked token is of use until it expires, whoever made it. One that does not say when it was issued was issued just now.
Result<void> check_lifetime(const Key& key, const JwtClaims& claims, Time now) {
    if (key.revocable_tokens && !claims.issued) return fail(ErrorCode::invalid_jwt, "a token that can be revoked needs an iat claim");
    const auto most = ttl_max(key);
    if (*claims.expires - claims.issued.value_or(now + token_request_window) <= most) return {};
    return fail(ErrorCode::invalid_parameter_value, "a token of this key lives for {} seconds at most (keys.token_ttl_seconds = {}{})",
                most.count(), key.token_ttl_max.count(), key.revocable_tokens ? ", keys.revocable" : "");
}

Result<RevocableToken> check_revocable(const Apps& apps, const Identity& identity, const JwtClaims& claims, Time now) {
    RevocableToken token{.issued = *claims.issued, .client_id = identity.client_id, .revocation_key = claims.revocation_key};
    const auto revoked = apps.revocations().revoked_from(identity.key_name, token, identity.capability);
    if (revoked && *revoked <= now) return fail(ErrorCode::token_revoked, "Token revoked");
    return token;
}

Result<Identity> check_jwt(const Apps& apps, const Jwt& jwt, Time now) {
    constexpr auto refused = ErrorCode::invalid_jwt;
    const auto& [header, claims, signed_part, signature_text] = jwt;
    if (header.algorithm != "HS256" || header.critical) return fail(refused, "a token is signed by HS256, without extensions");
    const auto known = apps.must_find_key(header.key_name);
    if (!known) return std::unexpected(known.error());
    const auto& key = *known;
    const auto signature = base::base64_decode(signature_text);
    if (!signature || !equal_constant_time(hmac_sha256(key->secret, signed_part), *signature)) {
        return fail(refused, "the token's signature does not match");
    }
    if (!claims) return fail(refused, "the token's claims are malformed");
    if (!claims->expires) return fail(refused, "a token needs an exp claim");
    if (*claims->expires <= now) return fail(ErrorCode::token_expired, "the token has expired");
    const auto latest = now + token_request_window;
    if (claims->issued > latest || claims->not_before > latest) return fail(refused, "the token is from the future");
    if (const auto lives = check_lifetime(*key, *claims, now); !lives) return std::unexpected(lives.error());
    const auto client_id = claims->client_id.value_or("");
    if (claims->client_id && client_id.empty()) return fail(ErrorCode::invalid_client_id, "a clientId must not be empty");
    if (const auto valid = check_client_id(client_id); !valid) return std::unexpected(valid.error());
    if (const auto valid = claims->channels.check(); !valid) return std::unexpected(valid.error());
    auto capability = narrowed(key->capability, claims->capability);
    if (!capability) return std::unexpected(std::move(capability.error()));
    Identity identity{.app = key.app,
                      .key_name = key->name,
                      .client_id = client_id,
                      .capability = std::move(*capability),
                      .expires = claims->expires};
    if (!claims->channels.empty()) identity.channel_claims = std::make_shared<const ChannelClaims>(claims->channels);
    if (!key->revocable_tokens) return identity;
    auto revocable = check_revocable(apps, identity, *claims, now);
    if (!revocable) return std::unexpected(std::move(revocable.error()));
    identity.revocable = *std::move(revocable);
    return identity;
}

}  // namespace

std::string sign(const TokenRequest& request, std::string_view secret) {
    const auto line = [](const std::optional<std::int64_t>& number) { return number ? std::to_string(*number) : std::string{}; };
    const auto text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", request.key_name, line(request.ttl_ms), request.capability,
                                  request.client_id, line(request.timestamp_ms), request.nonce);
    return base::base64_encode(hmac_sha256(secret, text));
}

TokenRequest make_token_request(const Key& key, std::string client_id, const Capability& capability, Time now) {
    TokenRequest request{.key_name = key.name,
                         .client_id = std::move(client_id),
                         .capability = capability.to_json(),
                         .nonce = base::random_id(22),  // 131 bits; RSA9c wants 16 characters at least
                         .timestamp_ms = to_ms(now)};
    request.mac = sign(request, key.secret);
    return request;
}

Result<TokenDetails> issue_token(const Key& key, const TokenRequest& request, bool authenticated, Time now) {
    const bool key_is_named = request.key_name == key.name || (authenticated && request.key_name.empty());
    if (!key_is_named) return fail(ErrorCode::invalid_credentials, "the request is for another key");
    if (request.mac.empty() && !authenticated) return fail(ErrorCode::invalid_credentials, "the request is not signed");
    if (!request.mac.empty()) {
        const bool genuine = equal_constant_time(sign(request, key.secret), request.mac);
        if (!genuine) return fail(ErrorCode::invalid_credentials, "the mac does not match");
        if (!request.timestamp_ms) return fail(ErrorCode::timestamp_not_current, "a signed request needs a timestamp");
        if (request.nonce.empty()) return fail(ErrorCode::invalid_parameter_value, "a signed request needs a nonce");
        if (has_control_character(request.nonce) || has_control_character(request.capability)) {
            return fail(ErrorCode::invalid_parameter_value, "a signed request must not contain control characters");
        }
    }
    const auto window = base::milliseconds{token_request_window}.count();
    if (const auto stamp = request.timestamp_ms; stamp && (*stamp < to_ms(now) - window || *stamp > to_ms(now) + window)) {
        return fail(ErrorCode::timestamp_not_current, "the request's timestamp is not current");
    }
    const auto most = base::milliseconds{ttl_max(key)}.count();
    const auto ttl = request.ttl_ms.value_or(std::min(base::milliseconds{token_ttl_default}.count(), most));
    if (ttl <= 0 || ttl > most) return fail(ErrorCode::invalid_parameter_value, "a ttl is more than 0 and at most {} ms", most);
    if (const auto valid = check_client_id(request.client_id); !valid) return std::unexpected(valid.error());
    const auto capability = narrowed(key.capability, request.capability);
    if (!capability) return std::unexpected(capability.error());

    TokenDetails details{.key_name = key.name,
                         .client_id = request.client_id,
                         .capability = capability->to_json(),
                         .issued_ms = to_ms(now),
                         .expires_ms = to_ms(now) + ttl};
    details.token = make_jwt(key, {.issued = base::from_ms(details.issued_ms),
                                   .expires = base::from_ms(details.expires_ms),
                                   .client_id = details.client_id,
                                   .capability = details.capability});
    return details;
}

Result<Identity> check_token(const Apps& apps, std::string_view token, Time now) {
    const auto jwt = parse_jwt(token);
    if (!jwt) return std::unexpected(jwt.error());
    const auto& in_claims = jwt->claims ? jwt->claims->embedded : std::string{};
    const auto& embedded = jwt->header.embedded.empty() ? in_claims : jwt->header.embedded;
    if (embedded.empty()) return check_jwt(apps, *jwt, now);

    const auto inner = parse_jwt(embedded);
    if (!inner) return std::unexpected(inner.error());
    auto identity = check_jwt(apps, *inner, now);
    if (!identity || !jwt->claims || !jwt->claims->expires) return identity;  // an encrypted one does not show its claims
    if (*jwt->claims->expires <= now) return fail(ErrorCode::token_expired, "the token has expired");
    if (*jwt->claims->expires > *identity->expires) return fail(ErrorCode::invalid_jwt, "the token outlives the one embedded in it");
    identity->expires = jwt->claims->expires;
    return identity;
}

Result<Identity> check_key(const Apps& apps, std::string_view key_text) {
    const auto key = apps.check(key_text);
    if (!key) return std::unexpected(key.error());
    return Identity{
        .app = key->app, .key_name = (*key)->name, .client_id = "", .capability = (*key)->capability, .expires = {}};
}

}  // namespace auth
