#include "auth/token.hpp"

#include <algorithm>
#include <cmath>

#include "base/base64.hpp"
#include "base/limits.hpp"
#include "base/random.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"

namespace auth {
namespace {

using base::ErrorCode;
using base::fail;
using base::to_ms;
using protocol::JsonReader;
using protocol::JsonWriter;
using protocol::Kind;

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

void member(JsonWriter& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out.key(name);
    out.text(text);
}
void member(JsonWriter& out, std::string_view name, std::optional<std::int64_t> number) {
    if (!number) return;
    out.key(name);
    out.number(*number);
}

/// RFC 7519 §2, NumericDate: seconds, with a fraction where there is one, so that a token lives as long as its TokenDetails say.
void numeric_date(JsonWriter& out, std::string_view name, std::int64_t ms) {
    out.key(name);
    out.json(ms % 1000 == 0 ? fmt::format("{}", ms / 1000) : fmt::format("{}.{:03}", ms / 1000, ms % 1000));
}

/// RFC 7515 §7.1.
std::string make_jwt(const Key& key, const TokenDetails& details) {
    std::string header, claims;
    JsonWriter header_out{header}, claims_out{claims};
    header_out.object([&] {
        member(header_out, "typ", "JWT");
        member(header_out, "alg", "HS256");
        member(header_out, "kid", key.name);
    });
    claims_out.object([&] {
        numeric_date(claims_out, "iat", details.issued_ms);
        numeric_date(claims_out, "exp", details.expires_ms);
        member(claims_out, "x-ably-capability", details.capability);
        member(claims_out, "x-ably-clientId", details.client_id);
    });
    const auto signed_part = base::base64url_encode(header) + '.' + base::base64url_encode(claims);
    return signed_part + '.' + base::base64url_encode(hmac_sha256(key.secret, signed_part));
}

struct JwtHeader {
    std::string algorithm, key_name;
    bool critical = false;  // it has extensions that whoever checks it must know (RFC 7515 §4.1.11); we know none
};
struct JwtClaims {
    std::optional<Time> issued, not_before, expires;
    std::optional<std::string> client_id;
    std::string capability;
};

/// Reads an object that is the whole input; `read(in, key)` reads the value of a key, or skips it.
template <class Read>
bool read_object(std::string_view json, Read&& read) {
    JsonReader in{json};
    return in.object([&](std::string_view key) { return read(in, key); }) && in.at_end();
}

std::optional<JwtHeader> read_header(std::string_view json) {
    JwtHeader header;
    const bool ok = read_object(json, [&](JsonReader& in, std::string_view key) {
        if (key == "alg") return in.text(header.algorithm);
        if (key == "kid") return in.text(header.key_name);
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

/// A capability is given as JSON text, and by some libraries as JSON; the text is what counts.
bool read_capability(JsonReader& in, std::string& out) { return in.kind() == Kind::object ? in.json(out) : in.text(out); }

std::optional<JwtClaims> read_claims(std::string_view json) {
    JwtClaims claims;
    const bool ok = read_object(json, [&](JsonReader& in, std::string_view key) {
        if (in.kind() == Kind::null) return in.skip();
        if (key == "iat") return read_date(in, claims.issued);
        if (key == "nbf") return read_date(in, claims.not_before);
        if (key == "exp") return read_date(in, claims.expires);
        if (key == "x-ably-capability") return read_capability(in, claims.capability);
        if (key == "x-ably-clientId") return in.text(claims.client_id.emplace());
        return in.skip();
    });
    return ok ? std::optional{claims} : std::nullopt;
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
    const auto ttl = request.ttl_ms.value_or(base::milliseconds{token_ttl_default}.count());
    if (ttl <= 0 || ttl > base::milliseconds{token_ttl_max}.count()) {
        return fail(ErrorCode::invalid_parameter_value, "a ttl is more than 0 and at most {} ms",
                    base::milliseconds{token_ttl_max}.count());
    }
    if (const auto valid = check_client_id(request.client_id); !valid) return std::unexpected(valid.error());
    const auto capability = narrowed(key.capability, request.capability);
    if (!capability) return std::unexpected(capability.error());

    TokenDetails details{.key_name = key.name,
                         .client_id = request.client_id,
                         .capability = capability->to_json(),
                         .issued_ms = to_ms(now),
                         .expires_ms = to_ms(now) + ttl};
    details.token = make_jwt(key, details);
    return details;
}

Result<Identity> check_token(const Apps& apps, std::string_view token, Time now) {
    constexpr auto refused = ErrorCode::invalid_jwt;
    const auto first = token.find('.'), last = token.rfind('.');
    if (first == token.npos || first == last) return fail(refused, "the token is not a signed JWT");
    const auto header_json = base::base64_decode(token.substr(0, first));
    const auto header = header_json ? read_header(*header_json) : std::nullopt;
    if (!header) return fail(refused, "the token's header is malformed");
    if (header->algorithm != "HS256" || header->critical) return fail(refused, "a token is signed by HS256, without extensions");
    const auto known = apps.must_find_key(header->key_name);
    if (!known) return std::unexpected(known.error());
    const auto& key = *known;
    const auto signature = base::base64_decode(token.substr(last + 1));
    if (!signature || !equal_constant_time(hmac_sha256(key->secret, token.substr(0, last)), *signature)) {
        return fail(refused, "the token's signature does not match");
    }

    const auto claims_json = base::base64_decode(token.substr(first + 1, last - first - 1));
    const auto claims = claims_json ? read_claims(*claims_json) : std::nullopt;
    if (!claims) return fail(refused, "the token's claims are malformed");
    if (!claims->expires) return fail(refused, "a token needs an exp claim");
    if (*claims->expires <= now) return fail(ErrorCode::token_expired, "the token has expired");
    const auto latest = now + token_request_window;
    if (claims->issued > latest || claims->not_before > latest) return fail(refused, "the token is from the future");
    const auto client_id = claims->client_id.value_or("");
    if (claims->client_id && client_id.empty()) return fail(ErrorCode::invalid_client_id, "a clientId must not be empty");
    if (const auto valid = check_client_id(client_id); !valid) return std::unexpected(valid.error());
    auto capability = narrowed(key->capability, claims->capability);
    if (!capability) return std::unexpected(std::move(capability.error()));
    return Identity{.app = key.app,
                    .key_name = key->name,
                    .client_id = client_id,
                    .capability = std::move(*capability),
                    .expires = claims->expires};
}

Result<Identity> check_key(const Apps& apps, std::string_view key_text) {
    const auto key = apps.check(key_text);
    if (!key) return std::unexpected(key.error());
    return Identity{
        .app = key->app, .key_name = (*key)->name, .client_id = "", .capability = (*key)->capability, .expires = {}};
}

Result<TokenRequest> token_request_from_json(std::string_view json) {
    TokenRequest request;
    const auto integer = [](JsonReader& in, std::optional<std::int64_t>& out) {
        protocol::Number number;
        if (in.kind() != Kind::number || !in.number(number)) return false;
        out = protocol::whole(number);
        return out.has_value();
    };
    const bool ok = read_object(json, [&](JsonReader& in, std::string_view key) {
        if (in.kind() == Kind::null) return in.skip();
        if (key == "keyName") return in.text(request.key_name);
        if (key == "clientId") return in.text(request.client_id);
        if (key == "capability") return read_capability(in, request.capability);
        if (key == "nonce") return in.text(request.nonce);
        if (key == "mac") return in.text(request.mac);
        if (key == "ttl") return integer(in, request.ttl_ms);
        if (key == "timestamp") return integer(in, request.timestamp_ms);
        return in.skip();
    });
    if (!ok) return fail(ErrorCode::invalid_body, "the body is not a token request");
    return request;
}

std::string to_json(const TokenRequest& request) {
    std::string json;
    JsonWriter out{json};
    out.object([&] {
        member(out, "keyName", request.key_name);
        member(out, "ttl", request.ttl_ms);
        member(out, "capability", request.capability);
        member(out, "clientId", request.client_id);
        member(out, "timestamp", request.timestamp_ms);
        member(out, "nonce", request.nonce);
        member(out, "mac", request.mac);
    });
    return json;
}

std::string to_json(const TokenDetails& details) {
    std::string json;
    JsonWriter out{json};
    out.object([&] {
        member(out, "token", details.token);
        member(out, "keyName", details.key_name);
        member(out, "issued", details.issued_ms);
        member(out, "expires", details.expires_ms);
        member(out, "capability", details.capability);
        member(out, "clientId", details.client_id);
    });
    return json;
}

}  // namespace auth
