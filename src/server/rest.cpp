#include <algorithm>

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <fmt/format.h>

#include "base/limits.hpp"
#include "realtime/checks.hpp"
#include "server/credentials.hpp"
#include "server/params.hpp"
#include "server/responses.hpp"
#include "server/routes.hpp"

/// The Ably REST API (RSC, RSL, RSP).
namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;
using net::HttpRequest;
using protocol::Format;

namespace {

/// Who asks for what channel, and may.
struct Access {
    auth::Identity identity;
    protocol::ChannelName channel;
    std::string address;
};

Result<Access> access(const HttpRequest& request, const std::string& name, auth::Operation operation, const auth::Apps& apps) {
    auto identity = identify(request, apps, base::now());
    if (!identity) return std::unexpected(identity.error());
    auto channel = realtime::channel_of(name);
    if (!channel) return std::unexpected(channel.error());
    if (!auth::has(identity->capability.on(channel->base), operation)) {
        return fail(ErrorCode::capability_denied, "Action not permitted on {} by the given capability", channel->base);
    }
    if (const auto served = realtime::check_served(*channel); !served) return std::unexpected(served.error());
    auto address = identity->app_id() + "/" + channel->base;
    return Access{*std::move(identity), *std::move(channel), std::move(address)};
}

Result<broker::HistoryQuery> history_query(const HttpRequest& request, protocol::Action kind) {
    broker::HistoryQuery query{.kind = kind};
    const auto start = number_param<std::int64_t>(request, "start");
    if (!start) return std::unexpected(start.error());
    const auto end = number_param<std::int64_t>(request, "end");
    if (!end) return std::unexpected(end.error());
    const auto limit = number_param<std::size_t>(request, "limit");
    if (!limit) return std::unexpected(limit.error());
    if (*start) query.start = base::from_ms(**start);
    if (*end) query.end = base::from_ms(**end);
    if (*start && *end && **start > **end) return fail(ErrorCode::invalid_parameter_value, "start is after end");
    query.limit = limit->value_or(base::limits::presence_members_per_channel_max);
    if (query.limit < 1 || query.limit > base::limits::history_page_max) {
        return fail(ErrorCode::invalid_parameter_value, "limit is 1 to {}", base::limits::history_page_max);
    }
    const auto direction = request.param("direction").value_or("backwards");
    if (direction != "backwards" && direction != "forwards")
        return fail(ErrorCode::invalid_parameter_value, "direction is backwards or forwards");
    query.direction = direction == "forwards" ? broker::Direction::forwards : broker::Direction::backwards;
    for (const auto* name : {"fromSerial", "from_serial"}) {  // RTL10b
        const auto serial = request.param(name);
        if (!serial) continue;
        query.until = broker::parse_serial(*serial);
        if (!query.until) return fail(ErrorCode::invalid_parameter_value, "{} is not a channelSerial", name);
    }
    if (const auto after = request.param("cursor")) {
        query.after = broker::parse_cursor(*after);
        if (!query.after) return fail(ErrorCode::invalid_parameter_value, "cursor is not one of ours");
    }
    return query;
}

/// RSC19d, TG: relative to the request, with the cursor of the page it leads to.
std::string link(const HttpRequest& request, std::string_view relation, const std::optional<std::string>& cursor) {
    std::string query;
    for (const auto& [name, value] : request.query) {
        if (name == "cursor" || name == "key" || name == "access_token" || name == "accessToken") continue;
        query += fmt::format("{}{}={}", query.empty() ? "" : "&", net::percent_encode(name), net::percent_encode(value));
    }
    if (cursor) query += fmt::format("{}cursor={}", query.empty() ? "" : "&", net::percent_encode(*cursor));
    const auto last_segment = request.path.substr(request.path.rfind('/') + 1);
    return fmt::format("<./{}?{}>; rel=\"{}\"", last_segment, query, relation);
}

/// Checks and stamps a REST publish; its ids, where the client gave them, make it idempotent (RSL1k).
Result<broker::Draft> draft_publish(const HttpRequest& request, const Access& access) {
    auto messages = protocol::decode_messages(format_sent(request), request.body);
    if (!messages) return std::unexpected(messages.error());
    if (messages->empty()) return fail(ErrorCode::bad_request, "Nothing to publish");
    std::size_t bytes = 0;
    for (auto& message : *messages) {
        bytes += size_of(message);
        if (const auto stamped = realtime::stamp_message(access.identity, message); !stamped) return std::unexpected(stamped.error());
    }
    if (const auto fits = realtime::check_size(bytes); !fits) return std::unexpected(fits.error());
    broker::Draft draft;
    draft.message = {.action = protocol::Action::message, .channel = access.channel.base, .messages = *std::move(messages)};
    return draft;
}

}  // namespace

void Routes::time(const HttpRequest& request, const Segments&, Reply reply) {
    reply(respond_json(format_wanted(request), 200, fmt::format("[{}]", base::to_ms(base::now()))));
}

/// RSA8e: a signed request, or an unsigned one sent with the key, becomes a token.
void Routes::request_token(const HttpRequest& request, const Segments& segments, Reply reply) {
    const auto format = format_wanted(request);
    const auto now = base::now();
    const auto issued = [&]() -> Result<auth::TokenDetails> {
        const auto& key_name = segments[1];
        const auto key = site_.apps.find_key(key_name);
        if (!key) return fail(ErrorCode::not_found, "No such key");
        const auto body =
            format_sent(request) == Format::msgpack ? protocol::msgpack_to_json(request.body) : Result<std::string>{request.body};
        if (!body) return std::unexpected(body.error());
        auto wanted = auth::token_request_from_json(*body);
        if (!wanted) return std::unexpected(wanted.error());
        if (wanted->key_name.empty()) wanted->key_name = key_name;
        if (wanted->key_name != key_name) return fail(ErrorCode::invalid_credentials, "The token request is for another key");
        bool authenticated = false;
        if (!request.header("authorization").empty()) {
            const auto identity = identify(request, site_.apps, now);
            if (!identity) return std::unexpected(identity.error());
            authenticated = !identity->expires && identity->key_name == key_name;
        }
        auto details = auth::issue_token(*key, *wanted, authenticated, now);
        if (details && !wanted->mac.empty() && !site_.nonces.use(wanted->nonce, now)) {
            return fail(ErrorCode::nonce_replayed, "The token request was used before");
        }
        return details;
    }();
    if (!issued) return reply(respond_error(format, issued.error()));
    reply(respond_json(format, 201, auth::to_json(*issued)));
}

void Routes::publish(const HttpRequest& request, const Segments& segments, Reply reply) {
    const auto format = format_wanted(request);
    const auto allowed = access(request, segments[1], auth::Operation::publish, site_.apps);
    if (!allowed) return reply(respond_error(format, allowed.error()));
    auto draft = draft_publish(request, *allowed);
    if (!draft) return reply(respond_error(format, draft.error()));
    auto id = draft->message.messages.front().id;
    hub_.publish(allowed->address, *std::move(draft),
                 [format, channel = allowed->channel.full, id = std::move(id),
                  reply = std::move(reply)](Result<std::vector<std::string>> serials) mutable {
                     if (!serials) return reply(respond_error(format, serials.error()));
                     if (id.empty() && !serials->empty()) id = serials->front().substr(0, serials->front().rfind(':'));
                     const boost::json::object body{
                         {"channel", channel}, {"messageId", id}, {"serials", boost::json::value_from(*serials)}};
                     reply(respond_json(format, 201, boost::json::serialize(body)));
                 });
}

void Routes::history(const HttpRequest& request, const Segments& segments, Reply reply) {
    page_of_history(request, segments, protocol::Action::message, std::move(reply));
}

void Routes::presence_history(const HttpRequest& request, const Segments& segments, Reply reply) {
    page_of_history(request, segments, protocol::Action::presence, std::move(reply));
}

void Routes::page_of_history(const HttpRequest& request, const Segments& segments, protocol::Action kind, Reply reply) {
    const auto format = format_wanted(request);
    const auto allowed = access(request, segments[1], auth::Operation::history, site_.apps);
    if (!allowed) return reply(respond_error(format, allowed.error()));
    auto query = history_query(request, kind);
    if (!query) return reply(respond_error(format, query.error()));
    hub_.history(allowed->address, *query, [format, kind, request, reply = std::move(reply)](Result<broker::HistoryPage> page) mutable {
        if (!page) return reply(respond_error(format, page.error()));
        auto response = respond(format, 200, kind == protocol::Action::message ? protocol::encode_messages(format, page->messages)
                                                                               : protocol::encode_presence(format, page->presence));
        auto links = link(request, "first", std::nullopt) + ", " + link(request, "current", request.param("cursor"));
        if (page->next) links += ", " + link(request, "next", broker::to_serial(*page->next));
        response.headers.emplace_back("Link", std::move(links));
        reply(std::move(response));
    });
}

/// RSP3.
void Routes::presence(const HttpRequest& request, const Segments& segments, Reply reply) {
    const auto format = format_wanted(request);
    auto allowed = access(request, segments[1], auth::Operation::presence, site_.apps);
    if (!allowed) allowed = access(request, segments[1], auth::Operation::subscribe, site_.apps);
    if (!allowed) return reply(respond_error(format, allowed.error()));
    const auto limit = number_param<std::size_t>(request, "limit");
    if (!limit) return reply(respond_error(format, limit.error()));
    hub_.presence(allowed->address, [format, request, limit = limit->value_or(base::limits::history_page_default),
                                     reply = std::move(reply)](Result<std::vector<protocol::PresenceMessage>> members) mutable {
        if (!members) return reply(respond_error(format, members.error()));
        const auto client_id = request.param("clientId"), connection_id = request.param("connectionId");
        std::erase_if(*members, [&](const auto& each) {
            return (client_id && each.client_id != *client_id) || (connection_id && each.connection_id != *connection_id);
        });
        members->resize(std::min(members->size(), limit));
        auto response = respond(format, 200, protocol::encode_presence(format, *members));
        response.headers.emplace_back("Link", link(request, "first", std::nullopt) + ", " + link(request, "current", std::nullopt));
        reply(std::move(response));
    });
}

}  // namespace server
