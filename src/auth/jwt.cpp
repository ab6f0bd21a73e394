#include "auth/jwt.hpp"

#include <cmath>

#include "auth/json.hpp"
#include "auth/token.hpp"
#include "base/base64.hpp"

namespace auth {
namespace {

using base::ErrorCode;
using base::fail;
using protocol::JsonReader;
using protocol::JsonWriter;
using protocol::Kind;

std::optional<JwtHeader> read_header(std::string_view json) {
    JwtHeader header;
    const bool ok = read_object(json, [&](JsonReader& in, std::string_view key) {
        if (key == "alg") return in.text(header.algorithm);
        if (key == "kid") return in.text(header.key_name);
        if (key == "x-ably-token") return in.text(header.embedded);
        if (key == "crit") header.critical = true;
        return in.skip();
    });
    return ok ? std::optional{header} : std::nullopt;
}

bool read_date(JsonReader& in, std::optional<Time>& out) {
    protocol::Number number;
    if (in.kind() != Kind::number || !in.number(number)) return false;
    const double seconds = std::visit([](auto value) { return static_cast<double>(value); }, number);
    constexpr double year_10000 = 253'402'300'800;
    if (!(seconds >= 0 && seconds < year_10000)) return false;
    out = base::from_ms(std::llround(seconds * 1000));
    return true;
}

/// A user claim is a text; of another value it is that value's JSON.
bool read_channel_claim(JsonReader& in, std::string_view key, ChannelClaims& out) {
    if (const auto channels = ChannelClaims::user_claim_pattern(key)) {
        const std::string pattern{*channels};
        std::string text;
        if (!(in.kind() == Kind::text ? in.text(text) : in.json(text))) return false;
        out.add_user_claim(pattern, std::move(text));
        return true;
    }
    if (const auto channels = ChannelClaims::publish_rate_pattern(key)) {
        const std::string pattern{*channels};
        protocol::Number rate;
        if (in.kind() != Kind::number || !in.number(rate)) return false;
        out.add_publish_rate(pattern, std::visit([](auto number) { return static_cast<double>(number); }, rate));
        return true;
    }
    return in.skip();
}

std::optional<JwtClaims> read_claims(std::string_view json) {
    JwtClaims claims;
    const bool ok = read_object(json, [&](JsonReader& in, std::string_view key) {
        if (in.kind() == Kind::null) return in.skip();
        if (key == "iat") return read_date(in, claims.issued);
        if (key == "nbf") return read_date(in, claims.not_before);
        if (key == "exp") return read_date(in, claims.expires);
        if (key == "x-ably-capability") return read_capability(in, claims.capability);
        if (key == "x-ably-clientId") return in.text(claims.client_id.emplace());
        if (key == "x-ably-revocation-key") return in.text(claims.revocation_key);
        if (key == "x-ably-token") return in.text(claims.embedded);
        return read_channel_claim(in, key, claims.channels);
    });
    return ok ? std::optional{claims} : std::nullopt;
}

/// RFC 7519 §2, NumericDate: seconds, with a fraction where there is one, so that a token lives as long as its TokenDetails say.
void numeric_date(JsonWriter& out, std::string_view name, std::optional<Time> time) {
    if (!time) return;
    const auto ms = base::to_ms(*time);
    out.key(name);
    out.json(ms % 1000 == 0 ? fmt::format("{}", ms / 1000) : fmt::format("{}.{:03}", ms / 1000, ms % 1000));
}

}  // namespace

Result<Jwt> parse_jwt(std::string_view token) {
    const auto first = token.find('.'), last = token.rfind('.');
    if (first == token.npos || first == last) return fail(ErrorCode::invalid_jwt, "the token is not a signed JWT");
    const auto header_json = base::base64_decode(token.substr(0, first));
    auto header = header_json ? read_header(*header_json) : std::nullopt;
    if (!header) return fail(ErrorCode::invalid_jwt, "the token's header is malformed");
    const auto claims_json = base::base64_decode(token.substr(first + 1, last - first - 1));
    return Jwt{.header = *std::move(header),
               .claims = claims_json ? read_claims(*claims_json) : std::nullopt,
               .signed_part = token.substr(0, last),
               .signature = token.substr(last + 1)};
}

std::string make_jwt(const Key& key, const JwtClaims& claims) {
    std::string header_json, claims_json;
    JsonWriter header_out{header_json}, claims_out{claims_json};
    header_out.object([&] {
        member(header_out, "typ", "JWT");
        member(header_out, "alg", "HS256");
        member(header_out, "kid", key.name);
    });
    claims_out.object([&] {
        numeric_date(claims_out, "iat", claims.issued);
        numeric_date(claims_out, "exp", claims.expires);
        member(claims_out, "x-ably-capability", claims.capability);
        member(claims_out, "x-ably-clientId", claims.client_id.value_or(""));
    });
    const auto signed_part = base::base64url_encode(header_json) + '.' + base::base64url_encode(claims_json);
    return signed_part + '.' + base::base64url_encode(hmac_sha256(key.secret, signed_part));
}

}  // namespace auth
