#include "server/credentials.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/base64.hpp"
#include "base/limits.hpp"
#include "net/http_fields.hpp"
#include "realtime/checks.hpp"
#include "server/version.hpp"

namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;
using namespace std::chrono_literals;

namespace {

Result<auth::Identity> from_header(std::string_view header, const auth::Apps& apps, base::Time now) {
    const auto [scheme, given] = net::credentials_of(header);
    if (scheme == "basic") {
        const auto key = base::base64_decode(given);
        if (!key) return fail(ErrorCode::invalid_credentials, "The Authorization header is not valid base64");
        return auth::check_key(apps, *key);
    }
    if (scheme == "bearer") {
        // SDKs encode the token once more (RSC... "Bearer" + base64); others send a JWT, which has dots, as it is.
        if (given.find('.') != given.npos) return auth::check_token(apps, given, now);
        const auto decoded = base::base64_decode(given);
        if (!decoded) return fail(ErrorCode::token_unrecognised, "The token is not valid base64");
        return auth::check_token(apps, *decoded, now);
    }
    return fail(ErrorCode::unauthorized, "The Authorization header is neither Basic nor Bearer");
}

Result<auth::Identity> from_credentials(const net::HttpRequest& request, const auth::Apps& apps, base::Time now) {
    if (const auto header = request.header("authorization"); !header.empty()) return from_header(header, apps, now);
    for (const auto* name : {"access_token", "accessToken"}) {
        if (const auto token = request.param(name)) return auth::check_token(apps, *token, now);
    }
    if (const auto key = request.param("key")) return auth::check_key(apps, *key);
    return fail(ErrorCode::unauthorized, "No authentication information provided");
}

/// Between 0 and `most`; 0 for what is no number.
std::optional<std::chrono::milliseconds> milliseconds_param(const net::HttpRequest& request, const std::string& name,
                                                            std::chrono::milliseconds most) {
    const auto text = request.param(name);
    if (!text) return std::nullopt;
    std::int64_t ms = 0;
    std::from_chars(text->data(), text->data() + text->size(), ms);
    return std::clamp(std::chrono::milliseconds{ms}, 0ms, most);
}

}  // namespace

bool has_credentials(const net::HttpRequest& request) {
    const auto is_param = [&](const char* name) { return request.param(name).has_value(); };
    return !request.header("authorization").empty() || std::ranges::any_of(std::array{"access_token", "accessToken", "key"}, is_param);
}

Result<auth::Identity> identify(const net::HttpRequest& request, const auth::Apps& apps, base::Time now) {
    auto identity = from_credentials(request, apps, now);
    if (!identity) return identity;
    auto claimed = request.param("clientId").value_or("");
    if (const auto header = request.header("x-ably-clientid"); !header.empty())
        claimed = base::base64_decode(header).value_or("");  // RSA7e2
    if (claimed.empty()) return identity;
    if (claimed.size() > base::limits::client_id_bytes_max || !realtime::is_name(claimed)) {
        return fail(ErrorCode::invalid_client_id, "A clientId is a text without control characters, of {} bytes at most",
                    base::limits::client_id_bytes_max);
    }
    if (claimed != "*" && identity->may_be(claimed)) identity->client_id = claimed;
    else if (claimed != identity->client_id)
        return fail(ErrorCode::incompatible_credentials, "The clientId is not one that these credentials allow");
    return identity;
}

Result<realtime::Hub::ConnectRequest> connect_request(const net::HttpRequest& request, const auth::Apps& apps, base::Time now) {
    const auto text = request.param("v").value_or(std::to_string(newest_version));
    const auto version = parse_version(text);
    if (!version || *version < oldest_version || *version > newest_version) {
        return fail(ErrorCode::unsupported_protocol_version, "Protocol version {} is not supported: {} to {} are",
                    text.substr(0, 16), oldest_version, newest_version);
    }
    const auto format = request.param("format").value_or("json");
    if (format != "json" && format != "msgpack") return fail(ErrorCode::invalid_parameter_value, "The format is json or msgpack");
    auto identity = identify(request, apps, now);
    if (!identity) return std::unexpected(identity.error());

    realtime::Hub::ConnectRequest wanted{.identity = *std::move(identity)};
    wanted.options.echo = request.param("echo") != "false";
    wanted.options.heartbeats = request.param("heartbeats").value_or("true") != "false";
    wanted.resume_key = request.param("resume").value_or(request.param("recover").value_or(""));
    if (const auto remain = milliseconds_param(request, "remainPresentFor", base::limits::connection_state_ttl)) {
        wanted.options.presence_grace = *remain;
    }
    wanted.options.append_window = milliseconds_param(request, "appendRollupWindow", realtime::append_rollup_window_max).value_or(0ms);
    return wanted;
}

}  // namespace server
