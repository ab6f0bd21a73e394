#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "protocol/frame_size.hpp"
#include "realtime/drafts.hpp"
#include "server/access.hpp"
#include "server/paging.hpp"
#include "server/params.hpp"
#include "server/publishing.hpp"
#include "server/routes.hpp"

/// One message: as it is, as it was, changed, and annotated (RSL11, RSL14, RSL15, RSAN).
namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;
using net::HttpRequest;

namespace {

/// RFC 9110 §8.8.3: a message's version is its entity tag.
std::string entity_tag(const protocol::Message& message) { return fmt::format("\"{}\"", broker::version_of(message)); }

/// What If-Match asks for; nothing when it asks for nothing, or for any version.
std::optional<std::string> expected_version(const HttpRequest& request) {
    auto tag = request.header("if-match");
    if (tag.empty() || tag == "*") return std::nullopt;
    if (tag.size() >= 2 && tag.starts_with('"') && tag.ends_with('"')) tag = tag.substr(1, tag.size() - 2);
    return std::string{tag};
}

Result<broker::Draft> draft_change(const Call& call, const Access& channel) {
    auto messages = protocol::decode_messages(format_sent(call.request), call.request.body);
    if (!messages) return std::unexpected(messages.error());
    const auto& serial = call.request.segments[3];
    if (messages->size() != 1) return fail(ErrorCode::bad_request, "A change is one message");
    auto& message = messages->front();
    if (!message.serial.empty() && message.serial != serial)
        return fail(ErrorCode::bad_request, "The message's serial is not that of the path");
    message.serial = serial;
    if (!message.action) message.action = protocol::MessageAction::update;
    if (!broker::is_change(message)) return fail(ErrorCode::bad_request, "A message is updated, deleted or appended to");
    auto draft = realtime::draft_messages(call.identity, channel.name, {}, *std::move(messages));
    if (draft) {
        if (auto expected = expected_version(call.request)) draft->change->expected_version = std::move(expected);
    }
    return draft;
}

/// A page of what is all at hand: `all` has it in order, the cursor is a place in it. `direction`: unless the request says another.
template <class T>
struct Slice {
    std::vector<T> items;
    std::optional<std::string> next;
};
template <class T>
Result<Slice<T>> slice(std::vector<T> all, const HttpRequest& request, std::string_view direction) {
    const auto limit = limit_param(request);
    if (!limit) return std::unexpected(limit.error());
    const auto forwards = forwards_param(request, direction);
    if (!forwards) return std::unexpected(forwards.error());
    const auto cursor = number_param<std::size_t>(request, "cursor");
    if (!cursor) return std::unexpected(cursor.error());
    if (!*forwards) std::ranges::reverse(all);
    const auto from = std::min(cursor->value_or(0), all.size()), count = all.size();
    Slice<T> page;
    page.items.assign(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)), std::make_move_iterator(all.end()));
    page.items.resize(protocol::count_within(page.items, *limit, base::limits::page_bytes_max));
    if (const auto to = from + page.items.size(); to < count) page.next = std::to_string(to);
    return page;
}

}  // namespace

/// RSL11.
void Routes::message(Call call) {
    const auto channel = access(call.identity, call.request.segments[1], {auth::Operation::history});
    if (!channel) return call.refuse(channel.error());
    const auto serial = call.request.segments[3];
    const bool persisted = call.identity.app->namespace_of(channel->name.base).persisted;
    hub_.look_up(channel->address, serial, persisted, [call = std::move(call)](Result<broker::Record> record) mutable {
        if (!record) return call.refuse(record.error());
        auto response = respond(call.format, 200, protocol::encode_message(call.format, record->latest));
        response.headers.emplace_back("ETag", entity_tag(record->latest));
        call.reply(std::move(response));
    });
}

/// RSL14.
void Routes::versions(Call call) {
    const auto channel = access(call.identity, call.request.segments[1], {auth::Operation::history});
    if (!channel) return call.refuse(channel.error());
    const auto serial = call.request.segments[3];
    const bool persisted = call.identity.app->namespace_of(channel->name.base).persisted;
    hub_.look_up(channel->address, serial, persisted, [call = std::move(call)](Result<broker::Record> record) mutable {
        if (!record) return call.refuse(record.error());
        const auto page = slice(std::move(record->versions), call.request, "backwards");
        if (!page) return call.refuse(page.error());
        auto response = respond(call.format, 200, protocol::encode_messages(call.format, page->items));
        add_links(response, call.request, page->next);
        call.reply(std::move(response));
    });
}

/// RSL15. With If-Match, a change of that version only.
void Routes::change(Call call) {
    const auto channel = access(call.identity, call.request.segments[1], realtime::publishing);
    if (!channel) return call.refuse(channel.error());
    if (const auto allowed = check_publish_params(call.request); !allowed) return call.refuse(allowed.error());
    auto draft = draft_change(call, *channel);
    if (!draft) return call.refuse(draft.error());
    const Publisher publisher{call.identity, {}};
    server::publish(
        hub_, publisher, *channel, *std::move(draft), [call = std::move(call)](Result<std::vector<std::string>> serials) mutable {
            if (!serials) return call.refuse(serials.error());
            const auto version = serials->empty() ? std::string{} : serials->front();
            auto response = respond_json(call.format, 200, boost::json::serialize(boost::json::object{{"versionSerial", version}}));
            response.headers.emplace_back("ETag", fmt::format("\"{}\"", version));
            call.reply(std::move(response));
        });
}

/// RSAN1, RSAN2.
void Routes::annotate(Call call) {
    const auto channel = access(call.identity, call.request.segments[1], {auth::Operation::annotation_publish});
    if (!channel) return call.refuse(channel.error());
    if (const auto allowed = check_publish_params(call.request); !allowed) return call.refuse(allowed.error());
    auto annotations = protocol::decode_annotations(format_sent(call.request), call.request.body);
    if (!annotations) return call.refuse(annotations.error());
    for (auto& each : *annotations) {
        if (each.message_serial.empty()) each.message_serial = call.request.segments[3];
        if (each.message_serial != call.request.segments[3])
            return call.refuse({ErrorCode::bad_request, "The messageSerial is not that of the path"});
    }
    auto draft = realtime::draft_annotations(call.identity, channel->name, *std::move(annotations));
    if (!draft) return call.refuse(draft.error());
    const Publisher publisher{call.identity, {}};
    server::publish(hub_, publisher, *channel, *std::move(draft),
                    [call = std::move(call)](Result<std::vector<std::string>> serials) mutable {
                        if (!serials) return call.refuse(serials.error());
                        boost::json::array given;
                        for (const auto& serial : *serials) given.emplace_back(serial);
                        call.reply(respond_json(call.format, 201, boost::json::serialize(boost::json::object{{"serials", given}})));
                    });
}

/// RSAN3: the oldest first.
void Routes::annotations(Call call) {
    const auto channel = access(call.identity, call.request.segments[1], {auth::Operation::annotation_subscribe, auth::Operation::history});
    if (!channel) return call.refuse(channel.error());
    const auto serial = call.request.segments[3];
    const bool persisted = call.identity.app->namespace_of(channel->name.base).persisted;
    hub_.look_up(channel->address, serial, persisted, [call = std::move(call)](Result<broker::Record> record) mutable {
        if (!record) return call.refuse(record.error());
        const auto page = slice(std::move(record->annotations), call.request, "forwards");
        if (!page) return call.refuse(page.error());
        auto response = respond(call.format, 200, protocol::encode_annotations(call.format, page->items));
        add_links(response, call.request, page->next);
        call.reply(std::move(response));
    });
}

}  // namespace server
