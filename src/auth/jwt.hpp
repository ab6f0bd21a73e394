#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/app.hpp"
#include "auth/channel_claims.hpp"
#include "base/clock.hpp"

/// JWTs as they are written, whoever signed them.
namespace auth {

using base::Time;

struct JwtHeader {
    std::string algorithm, key_name;
    std::string embedded;   // x-ably-token: another token
    bool critical = false;  // it has extensions that whoever checks it must know (RFC 7515 §4.1.11); we know none
};
struct JwtClaims {
    std::optional<Time> issued, not_before, expires;
    std::optional<std::string> client_id;
    std::string capability, revocation_key, embedded;
    ChannelClaims channels;
};
struct Jwt {
    JwtHeader header;
    std::optional<JwtClaims> claims;          // nothing when they cannot be read, as of an encrypted one
    std::string_view signed_part, signature;  // of the token
};

/// RFC 7515 §7.1. Nothing is verified yet. Error: invalid_jwt.
Result<Jwt> parse_jwt(std::string_view token);
/// Signed by HS256, with iat, exp, x-ably-capability and x-ably-clientId.
std::string make_jwt(const Key& key, const JwtClaims& claims);

}  // namespace auth
