#include <charconv>

#include "auth/json.hpp"
#include "auth/token.hpp"

/// Token requests and tokens as REST carries them (TK, TD).
namespace auth {

using base::ErrorCode;
using base::fail;
using protocol::JsonReader;
using protocol::JsonWriter;
using protocol::Kind;

namespace {

bool parse_integer(std::string_view text, std::optional<std::int64_t>& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.emplace());
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Result<TokenRequest> token_request_from_json(std::string_view json) {
    TokenRequest request;
    bool nobody = false;
    // Some libraries write numbers as text, as they are signed.
    const auto integer = [](JsonReader& in, std::optional<std::int64_t>& out) {
        if (std::string text; in.kind() == Kind::text) return in.text(text) && parse_integer(text, out);
        protocol::Number number;
        if (in.kind() != Kind::number || !in.number(number)) return false;
        out = protocol::whole(number);
        return out.has_value();
    };
    const bool ok = read_object(json, [&](JsonReader& in, std::string_view key) {
        if (in.kind() == Kind::null) return in.skip();
        if (key == "keyName") return in.text(request.key_name);
        if (key == "clientId") {
            const bool read = in.text(request.client_id);
            nobody = nobody || request.client_id.empty();
            return read;
        }
        if (key == "capability") return read_capability(in, request.capability);
        if (key == "nonce") return in.text(request.nonce);
        if (key == "mac") return in.text(request.mac);
        if (key == "ttl") return integer(in, request.ttl_ms);
        if (key == "timestamp") return integer(in, request.timestamp_ms);
        return in.skip();
    });
    if (!ok) return fail(ErrorCode::invalid_body, "the body is not a token request");
    if (nobody) return fail(ErrorCode::invalid_client_id, "a clientId must not be empty");
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
