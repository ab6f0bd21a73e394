#include "realtime/drafts.hpp"

#include <algorithm>

#include "broker/annotation_summary.hpp"
#include "protocol/json_reader.hpp"
#include "realtime/checks.hpp"
#include "realtime/delta.hpp"
#include "realtime/extras.hpp"

namespace realtime {

using auth::Identity;
using auth::Operation;
using base::ErrorCode;
using base::fail;
using base::Result;
using protocol::ChannelName;
using protocol::Message;
using protocol::MessageAction;

namespace {

/// Fills in the publisher's own clientId (RSL1m, RTL6g).
Result<void> check_client_id(const Identity& identity, std::string& client_id) {
    if (client_id.empty()) client_id = identity.client_id == "*" ? "" : identity.client_id;
    if (!identity.may_be(client_id)) return fail(ErrorCode::invalid_client_id, "This client may not publish as another");
    if (client_id == "*" || client_id.size() > base::limits::client_id_bytes_max || !is_name(client_id)) {
        return fail(ErrorCode::invalid_client_id, "A clientId is a name without control characters, of {} bytes at most",
                    base::limits::client_id_bytes_max);
    }
    return {};
}

/// What counts for nothing since only a server may say it: cleared, it would keep its place in memory.
void take_off(std::string& text) { std::string{}.swap(text); }

/// A member of a JSON object, where it has this one and it is of this kind.
template <class T>
std::optional<T> member(const protocol::JsonText& object, std::string_view name, bool (protocol::JsonReader::*read)(T&),
                        protocol::Kind kind) {
    if (object.text.empty()) return std::nullopt;
    std::optional<T> found;
    protocol::JsonReader in{object.text};
    in.object([&](std::string_view key) { return key == name && in.kind() == kind ? (in.*read)(found.emplace()) : in.skip(); });
    return found;
}

bool has_member(const protocol::JsonText& object, std::string_view name) {
    if (object.text.empty()) return false;
    bool found = false;
    protocol::JsonReader in{object.text};
    in.object([&](std::string_view key) {
        found = found || key == name;
        return in.skip();
    });
    return found;
}

bool is_ephemeral(const Message& message) {
    return member(message.extras, "ephemeral", &protocol::JsonReader::boolean, protocol::Kind::boolean).value_or(false);
}

Result<void> check_mutable(const Identity& identity, const ChannelName& channel) {
    if (identity.app->namespace_of(channel.base).mutable_messages) return {};
    return fail(ErrorCode::mutable_messages_disabled, "Updates, deletes and annotations of messages are not enabled on channel {}",
                channel.base);
}

/// What this client's capability lets it change.
Result<broker::Change> permission(const Identity& identity, const ChannelName& channel, MessageAction action) {
    const auto granted = identity.capability.on(channel.full);
    const bool removes = action == MessageAction::remove;
    broker::Change change{.bytes_max = identity.app->limits.message_bytes};
    change.any = has(granted, removes ? Operation::message_delete_any : Operation::message_update_any);
    if (has(granted, removes ? Operation::message_delete_own : Operation::message_update_own) && identity.client_id != "*") {
        change.own = identity.client_id;
    }
    if (change.any || !change.own.empty()) return change;
    return fail(ErrorCode::capability_denied, "{} messages on {} is not among this client's capabilities",
                removes ? "Deleting" : "Updating", channel.base);
}

Result<broker::Draft> draft_change(const Identity& identity, const ChannelName& channel, std::vector<Message> messages) {
    if (messages.size() > 1) return fail(ErrorCode::bad_request, "An update, delete or append is published alone");
    auto& message = messages.front();
    if (message.serial.empty()) return fail(ErrorCode::invalid_parameter_value, "A change names the message by its serial");
    if (const auto enabled = check_mutable(identity, channel); !enabled) return std::unexpected(enabled.error());
    auto change = permission(identity, channel, *message.action);
    if (!change) return std::unexpected(change.error());
    protocol::MessageVersion version;
    if (message.version) {
        version = {.client_id = message.version->client_id,
                   .description = message.version->description,
                   .metadata = message.version->metadata};
    }
    if (const auto checked = check_client_id(identity, version.client_id); !checked) return std::unexpected(checked.error());
    change->expected_version = member(version.metadata, "expectedVersion", &protocol::JsonReader::text, protocol::Kind::text);
    message.version = std::move(version);
    message.client_id.clear();  // the author stays who it is
    return broker::Draft{.message = {.action = protocol::Action::message, .channel = channel.base, .messages = std::move(messages)},
                         .place = {},
                         .change = *std::move(change)};
}

Result<broker::Draft> draft_creation(const Identity& identity, const ChannelName& channel, std::vector<Message> messages) {
    if (!has(identity.capability.on(channel.full), Operation::publish)) {
        return fail(ErrorCode::capability_denied, "Publishing on {} is not among this client's capabilities", channel.base);
    }
    for (auto& message : messages) {
        if (const auto checked = check_client_id(identity, message.client_id); !checked) return std::unexpected(checked.error());
        take_off(message.serial);
        message.version.reset();
    }
    const auto ephemeral = std::ranges::count_if(messages, is_ephemeral);
    if (ephemeral > 0 && ephemeral < std::ssize(messages))
        return fail(ErrorCode::bad_request, "Ephemeral messages are published apart from others");
    Result<broker::Draft> draft{std::in_place};
    draft->message.action = protocol::Action::message;
    draft->message.channel = channel.base;
    draft->message.messages = std::move(messages);
    draft->ephemeral = ephemeral > 0;
    return draft;
}

}  // namespace

Result<broker::Draft> draft_messages(const Identity& identity, const ChannelName& channel, std::string_view connection_id,
                                     std::vector<Message> messages) {
    if (messages.empty()) return fail(ErrorCode::bad_request, "There is no message to publish");
    if (const auto served = check_served(channel); !served) return std::unexpected(served.error());
    if (const auto ids = check_ids(messages, connection_id); !ids) return std::unexpected(ids.error());
    for (auto& each : messages) {
        // It counts in the size. A change that brings no extras leaves those of the message as they are.
        if (!broker::is_change(each) || !each.extras.text.empty()) stamp_user_claim(each.extras, identity, channel.full);
    }
    if (const auto fits = check_sizes(messages, identity.app->limits); !fits) return std::unexpected(fits.error());
    bool changes = false;
    for (auto& message : messages) {
        if (has_member(message.extras, "privileged") && !has(identity.capability.on(channel.full), Operation::privileged_headers)) {
            return fail(ErrorCode::capability_denied, "extras.privileged needs the capability privileged-headers");
        }
        changes = changes || broker::is_change(message);
        if (!broker::is_change(message) && message.action.value_or(MessageAction::create) != MessageAction::create) {
            return fail(ErrorCode::bad_request, "A client may create, update, delete or append to a message, and nothing else");
        }
        if (const auto checked = check_id(message.id); !checked) return std::unexpected(checked.error());
        if (claims_delta(message.encoding)) {
            return fail(ErrorCode::invalid_message_data, "A message is published whole: the encoding vcdiff is the server's");
        }
        take_off(message.connection_id);  // the envelope says it (TM2c)
        take_off(message.connection_key);
        message.timestamp = 0;
        take_off(message.annotations.text);
        drop_delta(message.extras);
    }
    auto draft = changes ? draft_change(identity, channel, std::move(messages)) : draft_creation(identity, channel, std::move(messages));
    if (draft) {
        if (const auto fits = check_frame(draft->message); !fits) return std::unexpected(fits.error());
    }
    return draft;
}

Result<broker::Draft> draft_annotations(const Identity& identity, const ChannelName& channel,
                                        std::vector<protocol::Annotation> annotations) {
    if (annotations.empty()) return fail(ErrorCode::bad_request, "There is no annotation to publish");
    if (!has(identity.capability.on(channel.full), Operation::annotation_publish)) {
        return fail(ErrorCode::capability_denied, "Annotating messages on {} is not among this client's capabilities", channel.base);
    }
    if (const auto served = check_served(channel); !served) return std::unexpected(served.error());
    if (const auto enabled = check_mutable(identity, channel); !enabled) return std::unexpected(enabled.error());
    const auto serial = annotations.front().message_serial;
    if (serial.empty()) return fail(ErrorCode::invalid_parameter_value, "An annotation names its message by its serial");
    for (auto& each : annotations) stamp_user_claim(each.extras, identity, channel.full);
    if (const auto fits = check_sizes(annotations, identity.app->limits); !fits) return std::unexpected(fits.error());
    for (auto& each : annotations) {
        if (each.message_serial != serial)
            return fail(ErrorCode::bad_request, "Annotations that are published together are of one message");
        if (const auto checked = check_client_id(identity, each.client_id); !checked) return std::unexpected(checked.error());
        if (const auto checked = check_id(each.id); !checked) return std::unexpected(checked.error());
        if (const auto sums_up = broker::AnnotationSummary::check(each); !sums_up) return std::unexpected(sums_up.error());
        take_off(each.connection_id);
        take_off(each.serial);
        each.timestamp = 0;
    }
    broker::Draft draft;
    draft.message = {.action = protocol::Action::annotation, .channel = channel.base, .annotations = std::move(annotations)};
    if (const auto fits = check_frame(draft.message); !fits) return std::unexpected(fits.error());
    return draft;
}

}  // namespace realtime
