#include "server/routes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "auth/token.hpp"
#include "base/limits.hpp"
#include "net/http_fields.hpp"
#include "server/browser_identity.hpp"
#include "server/credentials.hpp"
#include "server/event_stream.hpp"
#include "server/responses.hpp"
#include "server/websocket_peer.hpp"

namespace server {

using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;
using net::HttpRequest;
using net::HttpResponse;
using protocol::Format;

const std::vector<Routes::Route> Routes::table{
    {"GET", {"time"}, &Routes::time, Open::yes},
    {"POST", {"keys", "*", "requestToken"}, &Routes::request_token, Open::yes},
    {"POST", {"keys", "*", "revokeTokens"}, &Routes::revoke_tokens},
    {"GET", {"stats"}, &Routes::stats},
    {"POST", {"messages"}, &Routes::publish_batch},
    {"GET", {"presence"}, &Routes::presence_batch},
    {"GET", {"channels"}, &Routes::channels},
    {"GET", {"channels", "*"}, &Routes::channel_status},
    {"POST", {"channels", "*", "messages"}, &Routes::publish},
    {"GET", {"channels", "*", "messages"}, &Routes::history},
    {"GET", {"channels", "*", "messages", "*"}, &Routes::message},
    {"PATCH", {"channels", "*", "messages", "*"}, &Routes::change},
    {"GET", {"channels", "*", "messages", "*", "versions"}, &Routes::versions},
    {"GET", {"channels", "*", "messages", "*", "annotations"}, &Routes::annotations},
    {"POST", {"channels", "*", "messages", "*", "annotations"}, &Routes::annotate},
    {"GET", {"channels", "*", "history"}, &Routes::history},
    {"GET", {"channels", "*", "presence"}, &Routes::presence},
    {"GET", {"channels", "*", "presence", "history"}, &Routes::presence_history},
    {"GET", {"auth"}, &Routes::browser_auth, Open::yes, Readers::our_pages},
    {"POST", {"auth"}, &Routes::browser_auth, Open::yes, Readers::our_pages},
    {"GET", {"healthz"}, &Routes::health, Open::yes, Readers::operators},
    {"GET", {"readyz"}, &Routes::readiness, Open::yes, Readers::operators},
    {"GET", {"metrics"}, &Routes::metrics, Open::yes, Readers::operators},
    {"GET", {"up.txt"}, &Routes::connectivity, Open::yes},
    {"GET", {"sse"}, &Routes::event_stream},
    {"GET", {"event-stream"}, &Routes::event_stream},
    {"GET", {"comet", "connect"}, &Routes::comet_connect, Open::yes},
    {"GET", {"comet", "*", "recv"}, &Routes::comet},
    {"POST", {"comet", "*", "send"}, &Routes::comet},
    {"GET", {"comet", "*", "close"}, &Routes::comet},
    {"GET", {"comet", "*", "disconnect"}, &Routes::comet},
};

namespace {

constexpr std::size_t host_bytes_told_max = 100;

bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string>& segments) {
    return std::ranges::equal(pattern, segments, [](std::string_view wanted, const std::string& given) {
        return wanted == "*" ? !given.empty() : wanted == given;
    });
}

/// Paths of Ably's that SDKs may ask for, and that are not served: said as it is, rather than "not found".
bool is_of_another_product(const std::vector<std::string>& segments) {
    if (segments.empty()) return false;
    return segments[0] == "push" || segments[0] == "chat" ||
           (segments.size() >= 3 && segments[0] == "channels" && segments[2].starts_with("object"));
}

/// Cookies are for the page's own origin and those the operator names; tokens and keys may come from anywhere. The SDK asks for
/// credentials to be included with its Authorization header, and browsers then take no "*" for an answer.
void add_cors(HttpResponse& response, const std::string& origin, const std::vector<std::string>& allowed, Readers readers) {
    if (origin.empty() || readers == Readers::operators) return;
    if (readers == Readers::any_page || std::ranges::find(allowed, origin) != allowed.end()) {
        response.headers.emplace_back("Access-Control-Allow-Origin", origin);
        response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
    }
    response.headers.emplace_back("Vary", "Origin");
    response.headers.emplace_back("Access-Control-Expose-Headers", "Link, ETag, X-Ably-ErrorCode, X-Ably-ErrorMessage");
}

HttpResponse preflight(const HttpRequest& request) {
    HttpResponse response{.status = 204};
    response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
    if (const auto asked = request.header("access-control-request-headers"); !asked.empty())
        response.headers.emplace_back("Access-Control-Allow-Headers", std::string{asked});
    response.headers.emplace_back("Access-Control-Max-Age", "600");
    return response;
}

}  // namespace

void Routes::on_request(HttpRequest request, Reply reply) {
    auto found = find(request);
    Reply answer = [this, origin = std::string{request.header("origin")}, readers = found.readers, gzip = accepts_gzip(request),
                    reply = std::move(reply)](HttpResponse response) mutable {
        add_cors(response, origin, site_.cors_origins, readers);
        compress(response, gzip);
        reply(std::move(response));
    };
    if (request.method == "OPTIONS") return answer(preflight(request));
    dispatch(found, std::move(request), std::move(answer));
}

bool Routes::serves(const Route& route) const {
    if (door_ == Door::operators) return route.readers == Readers::operators;
    return route.handle != &Routes::metrics || !site_.metrics_elsewhere;
}

Routes::Found Routes::find(const HttpRequest& request) const {
    Found found;
    // A HEAD is a GET but for the body, which the session leaves out. Both arms are views: a mixed pair would make a temporary string.
    const auto method = request.method == "HEAD" ? std::string_view{"GET"} : std::string_view{request.method};
    const auto see = [&](const auto& route, auto& place) {
        if (!matches(route.pattern, request.segments)) return false;
        found.readers = std::max(found.readers, route.readers);
        found.methods += fmt::format("{}{}", found.methods.empty() ? "" : ", ", route.method);
        if (route.method == method) place = &route;
        return route.method == method;
    };
    for (const auto& route : table) {
        if (serves(route) && see(route, found.route)) return found;
    }
    for (const auto& route : extension_) {
        if (see(route, found.extra)) return found;
    }
    return found;
}

void Routes::dispatch(const Found& found, HttpRequest request, Reply reply) {
    const auto format = format_wanted(request);
    if (found.route || found.extra) {
        return begin(found, {.request = std::move(request), .format = format, .reply = std::move(reply)});
    }
    if (door_ == Door::clients) {
        if (auto file = site_.files.find(request)) return reply(*std::move(file));
    }
    refuse_unknown(found, request, std::move(reply));
}

void Routes::refuse_unknown(const Found& found, const HttpRequest& request, Reply reply) const {
    const auto format = format_wanted(request);
    if (is_of_another_product(request.segments)) {
        return reply(respond_error(
            format, {ErrorCode::feature_not_available, "Push, LiveObjects and Chat's REST API are not available here"}));
    }
    // A key that is not there has no path, whatever the method.
    const auto& segments = request.segments;
    const bool no_such_key = segments.size() > 1 && segments.front() == "keys" && !site_.apps.find_key(segments[1]);
    if (found.methods.empty() || no_such_key) return reply(respond_error(format, {ErrorCode::not_found, "Could not find path"}));
    auto refused = respond_error(format, {ErrorCode::method_not_allowed, "No such method here"});
    refused.headers.emplace_back("Allow", found.methods + ", OPTIONS");
    reply(std::move(refused));
}

/// While the server goes down it answers who asks how it is, and tells clients of comet the last of it.
bool Routes::answers(const Found& found) const {
    if (!hub_.winding_down()) return true;
    const auto handle = found.route ? found.route->handle : nullptr;
    return handle == &Routes::comet || handle == &Routes::health || handle == &Routes::readiness;
}

/// Only a browser can be made to ask by a name that is not ours, and a browser always says by which. How we are may be asked by any.
Result<void> Routes::check_host(const Found& found, const HttpRequest& request) const {
    const bool by_name = found.readers == Readers::our_pages || (found.route && found.route->handle == &Routes::metrics);
    const auto host = request.headers.find("host");
    if (!by_name || door_ == Door::operators || host == request.headers.end() || site_.hosts.allows(host->second)) return {};
    return fail(ErrorCode::forbidden,
                "Host \"{}\" is not a name of this server's: if it is to be one, add it to [server] hosts (or PALIMPSEST_HOSTS)",
                host->second.substr(0, host_bytes_told_max));
}

void Routes::begin(const Found& found, Call call) {
    if (!answers(found)) return call.refuse({ErrorCode::unavailable, "The server is going down; please try again"});
    if (const auto ours = check_host(found, call.request); !ours) return call.refuse(ours.error());
    const auto version = version_wanted(call.request);
    if (!version) return call.refuse(version.error());
    call.version = *version;
    if (found.route && found.route->open == Open::no) {
        auto identity = identify(call.request, site_.apps, base::now());
        if (!identity) return call.refuse(identity.error());
        call.identity = *std::move(identity);
        count_answer(call, call.identity.app_id(), stats::Request::other);
    }
    // SDKs send a form to /auth (authMethod POST): nobody reads it.
    if (!found.route || found.route->handle != &Routes::browser_auth) {
        if (const auto readable = make_body_readable(call.request); !readable) return call.refuse(readable.error());
    }
    if (found.extra) return found.extra->handle(std::move(call));
    (this->*found.route->handle)(std::move(call));
}

/// Counts how the call ends, for the app's statistics.
void Routes::count_answer(Call& call, std::string app_id, stats::Request kind) {
    call.reply = [this, app_id = std::move(app_id), kind, reply = std::move(call.reply)](HttpResponse response) mutable {
        const auto outcome = response.status < 400    ? stats::Outcome::succeeded
                             : response.status == 429 ? stats::Outcome::refused
                                                      : stats::Outcome::failed;
        hub_.stats().of(app_id).request(kind, outcome);
        reply(std::move(response));
    };
}

/// Behind a proxy, which has many clients' connections, each is its client's from here on.
void Routes::on_websocket(HttpRequest request, std::shared_ptr<net::TcpConnection> connection, std::string rest) {
    if (door_ == Door::operators) {
        connection->send(net::serialize(respond_error(Format::json, {ErrorCode::not_found, "No clients are served here"}), false, false));
        return connection->close();
    }
    const auto client = site_.gate ? site_.gate->client_of(request.peer, request.header("x-forwarded-for")) : request.peer;
    if (client != request.peer) {
        auto seat = site_.gate->enter(client, base::now());
        if (!seat) {
            connection->send(site_.gate->refusal(seat.error()));
            return connection->close();
        }
        connection->hold(*std::move(seat));
    }
    WebSocketPeer::accept(hub_, request, std::move(connection), std::move(rest), plain_,
                          compressed_ ? &*compressed_ : nullptr);
}

HttpResponse Routes::on_refused(net::HttpParser::State why, std::string_view what) {
    switch (why) {
        case net::HttpParser::State::incomplete:
            return respond_error(Format::json, {ErrorCode::request_timeout, "The request did not come to its end in time"});
        case net::HttpParser::State::body_too_large:
            return respond_error(Format::json, {ErrorCode::payload_too_large,
                                                fmt::format("Body limit reached ({} bytes)", base::limits::http_body_bytes_max)});
        case net::HttpParser::State::header_too_large: {
            auto response = respond_error(Format::json, {ErrorCode::bad_request, fmt::format("Header limit reached ({} bytes)",
                                                                                             base::limits::http_header_bytes_max)});
            response.status = 431;
            return response;
        }
        default: return respond_error(Format::json, {ErrorCode::bad_request, std::string{what}});
    }
}

bool Routes::may_ask_for_token(const HttpRequest& request) const {
    if (!site_.gate) return true;
    return site_.gate->token_request(site_.gate->client_of(request.peer, request.header("x-forwarded-for")), base::now());
}

void Routes::refuse_token(Call& call) const {
    auto response = respond_error(call.format, {ErrorCode::rate_limit_exceeded,
        fmt::format("Limit of token requests of the address reached (addresses.token_requests_per_second = {})",
                    site_.gate->settings().token_requests_per_second)});
    response.headers.emplace_back("Retry-After", "1");
    call.reply(std::move(response));
}

/// A TokenRequest for the page (RSA8c), or with ?format=jwt a JWT: for a clientId that stays the browser's own.
void Routes::browser_auth(Call call) {
    call.format = Format::json;  // ?format= means the token's
    if (!site_.browser_auth) return call.refuse({ErrorCode::not_found, "This server gives browsers no tokens"});
    if (!may_ask_for_token(call.request)) return refuse_token(call);
    const auto& request = call.request;
    const auto& key = site_.browser_auth->key;
    const auto& secret = site_.browser_auth->cookie_secret;
    const auto client_id = client_id_of(request, secret).value_or(new_client_id());
    const auto capability = capability_of(*site_.browser_auth, client_id);
    if (!capability) return call.refuse(capability.error());
    auto token_request = auth::make_token_request(*key, client_id, *capability, base::now());

    auto response = respond(Format::json, 200, auth::to_json(token_request));
    if (request.param("format") == "jwt") {
        const auto details = auth::issue_token(*key, token_request, true, base::now());
        if (!details) return call.refuse(details.error());
        response = {.headers = {{"Content-Type", "application/jwt"}}, .body = details->token};
    }
    // Each proxy on the way may add its own behind; the first is the browser's.
    const auto schemes = net::elements_of(request.header("x-forwarded-proto"));
    const bool secure = !schemes.empty() && net::equals_ignoring_case(schemes.front(), "https");
    const std::string origin{request.header("origin")};
    const bool cross_site = secure && std::ranges::find(site_.cors_origins, origin) != site_.cors_origins.end();
    response.headers.emplace_back("Set-Cookie", identity_cookie(client_id, secret, secure, cross_site));
    response.headers.emplace_back("Cache-Control", "no-store");
    call.reply(std::move(response));
}

void Routes::health(Call call) { call.reply({.headers = {{"Content-Type", "text/plain"}}, .body = "ok\n"}); }

void Routes::readiness(Call call) {
    const bool ready = site_.ready() && !hub_.winding_down();
    call.reply(
        {.status = ready ? 200 : 503, .headers = {{"Content-Type", "text/plain"}}, .body = ready ? "ready\n" : "not ready\n"});
}

/// What SDKs ask to find out whether there is a network (RTN17c).
void Routes::connectivity(Call call) { call.reply({.headers = {{"Content-Type", "text/plain"}}, .body = "yes\n"}); }

void Routes::event_stream(Call call) { EventStream::open(shard_, hub_, std::move(call)); }

void Routes::comet_connect(Call call) { comet_.connect(std::move(call)); }

void Routes::comet(Call call) { comet_.take(std::move(call)); }

}  // namespace server
