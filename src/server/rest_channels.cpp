#include <algorithm>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include "protocol/frame_size.hpp"
#include "realtime/drafts.hpp"
#include "realtime/load.hpp"
#include "server/paging.hpp"
#include "server/publishing.hpp"
#include "server/routes.hpp"

/// A channel's messages and members (RSL, RSP).
namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;
using net::HttpRequest;

namespace {

Result<broker::HistoryQuery> history_query(const HttpRequest& request, protocol::Action kind) {
    const auto period = period_params(request);
    if (!period) return std::unexpected(period.error());
    const auto limit = limit_param(request);
    if (!limit) return std::unexpected(limit.error());
    const auto forwards = forwards_param(request);
    if (!forwards) return std::unexpected(forwards.error());
    broker::HistoryQuery query{.start = period->start, .end = period->end, .limit = *limit, .kind = kind};
    query.direction = *forwards ? broker::Direction::forwards : broker::Direction::backwards;
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

/// Keeps who is asked for by clientId and connectionId, of those behind the member that `cursor` names by its memberKey (TP3h).
void keep_wanted(const HttpRequest& request, std::vector<protocol::PresenceMessage>& members) {
    const auto client_id = request.param("clientId"), connection_id = request.param("connectionId");
    const auto cursor = request.param("cursor").value_or("");
    const auto colon = std::min(cursor.find(':'), cursor.size());
    const std::pair after{cursor.substr(0, colon), cursor.substr(std::min(colon + 1, cursor.size()))};
    std::erase_if(members, [&](const auto& each) {
        return (client_id && each.client_id != *client_id) || (connection_id && each.connection_id != *connection_id) ||
               std::pair{each.connection_id, each.client_id} <= after;
    });
}

}  // namespace

/// Ids that the client gave make it idempotent (RSL1k).
void Routes::publish(Call call) {
    auto channel = access(call.identity, call.request.segments[1], realtime::publishing);
    if (!channel) return call.refuse(channel.error());
    if (const auto allowed = check_publish_params(call.request); !allowed) return call.refuse(allowed.error());
    auto messages = protocol::decode_messages(format_sent(call.request), call.request.body);
    if (!messages) return call.refuse(messages.error());
    const auto key = connection_key_of(*messages);
    if (!key) return call.refuse(key.error());
    auto sender = call.identity;
    find_publisher(hub_, std::move(sender), *key,
                   [this, channel = *std::move(channel), messages = *std::move(messages),
                    call = std::move(call)](Result<Publisher> publisher) mutable {
                       if (!publisher) return call.refuse(publisher.error());
                       auto draft = draft_of(*publisher, channel, std::move(messages));
                       if (!draft) return call.refuse(draft.error());
                       auto id = message_id_of(*draft);
                       server::publish(hub_, *publisher, channel, *std::move(draft),
                                       [name = channel.name.full, id = std::move(id),
                                        call = std::move(call)](Result<std::vector<std::string>> serials) mutable {
                                           if (!serials) return call.refuse(serials.error());
                                           const boost::json::object body{{"channel", name},
                                                                          {"messageId", id},
                                                                          {"serials", boost::json::value_from(*serials)}};
                                           call.reply(respond_json(call.format, 201, boost::json::serialize(body)));
                                       });
                   });
}

void Routes::history(Call call) { page_of_history(std::move(call), protocol::Action::message); }

void Routes::presence_history(Call call) { page_of_history(std::move(call), protocol::Action::presence); }

void Routes::page_of_history(Call call, protocol::Action kind) {
    const auto channel = access(call.identity, call.request.segments[1], {auth::Operation::history});
    if (!channel) return call.refuse(channel.error());
    auto query = history_query(call.request, kind);
    if (!query) return call.refuse(query.error());
    query->persisted = call.identity.app->namespace_of(channel->name.base).persisted;
    hub_.history(channel->address, *query, [this, kind, call = std::move(call)](Result<broker::HistoryPage> page) mutable {
        if (!page) return call.refuse(page.error());
        const auto load = kind == protocol::Action::message ? realtime::load_of(page->messages) : realtime::load_of(page->presence);
        realtime::count(hub_.stats(), call.identity.app_id(), stats::Way::outbound, load, stats::Over::rest);
        auto response = respond(call.format, 200,
                                kind == protocol::Action::message ? protocol::encode_messages(call.format, page->messages)
                                                                  : protocol::encode_presence(call.format, page->presence));
        add_links(response, call.request, page->next.transform([](const auto& cursor) { return broker::to_serial(cursor); }));
        call.reply(std::move(response));
    });
}

/// RSP3, in the order of memberKeys.
void Routes::presence(Call call) {
    const auto channel = access(call.identity, call.request.segments[1], {auth::Operation::presence, auth::Operation::subscribe});
    if (!channel) return call.refuse(channel.error());
    const auto limit = limit_param(call.request);
    if (!limit) return call.refuse(limit.error());
    hub_.presence(channel->address,
                  [this, limit = *limit, call = std::move(call)](Result<std::vector<protocol::PresenceMessage>> members) mutable {
                      if (!members) return call.refuse(members.error());
                      keep_wanted(call.request, *members);
                      std::optional<std::string> next;
                      const auto count = protocol::count_within(*members, limit, base::limits::page_bytes_max);
                      if (members->size() > count) {
                          members->resize(count);
                          next = members->back().connection_id + ":" + members->back().client_id;
                      }
                      realtime::count(hub_.stats(), call.identity.app_id(), stats::Way::outbound, realtime::load_of(*members),
                                      stats::Over::rest);
                      auto response = respond(call.format, 200, protocol::encode_presence(call.format, *members));
                      add_links(response, call.request, next);
                      call.reply(std::move(response));
                  });
}

}  // namespace server
