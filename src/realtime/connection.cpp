#include "realtime/connection.hpp"

#include <algorithm>
#include <cmath>

#include "base/limits.hpp"
#include "base/random.hpp"
#include "base/resource_limits.hpp"
#include "protocol/frame_size.hpp"
#include "realtime/attach_params.hpp"
#include "realtime/checks.hpp"
#include "realtime/connection_key.hpp"
#include "realtime/drafts.hpp"
#include "realtime/extras.hpp"

namespace realtime {
namespace {

namespace limits = base::limits;
using base::Error;
using base::fail;
using protocol::ChannelName;
using protocol::PresenceAction;
namespace flag = protocol::flag;

constexpr auto positions_told_every = limits::retention / 3;
constexpr auto token_renewal_lead = std::chrono::seconds{30};  // how long before its token expires a client is asked for a new one

/// TR4j: counts up from 0; what a JavaScript number cannot hold is none.
bool is_msg_serial(const std::optional<std::int64_t>& serial) { return serial && *serial >= 0 && *serial < std::int64_t{1} << 53; }

bool is_publish(Action action) { return action == Action::message || action == Action::presence || action == Action::annotation; }

/// Messages that were changed since they were published together may have grown out of one frame. Only the last part moves the
/// client's channelSerial (RTL15b): if it loses the connection before that, it is told all of them again.
void send_in_frames(ProtocolMessage&& message, Outbox& out) {
    if (protocol::fits_frame(message)) return out.send(std::move(message));
    auto parts = protocol::in_parts(std::exchange(message.messages, {}));
    for (auto& part : parts) {
        auto frame = message;
        frame.messages = std::move(part);
        if (&part != &parts.back()) frame.channel_serial.clear();
        out.send(std::move(frame));
    }
}

}  // namespace

Connection::Connection(const ServerFacts& facts, std::string id, bool revived) : facts_(facts), id_(std::move(id)), revived_(revived) {}

Attachment* Connection::attachment(const std::string& name) {
    const auto found = attachments_.find(name);
    return found == attachments_.end() ? nullptr : &found->second;
}

void Connection::connected(Transport& transport, auth::Identity identity, Options options, std::optional<Error> resume_failed,
                           Time now, Outbox& out) {
    transport_ = &transport;
    take_on(std::move(identity), now);
    options_ = options;
    key_nonce_ = base::random_id(8);
    inbound_ = base::TokenBucket{identity_.app->limits.inbound_per_connection};
    lost_.reset();
    heard_.reset();
    rollup_ = Rollup{options_.append_window};
    acknowledgements_.clear();  // the client sends again what it has no ACK for (RTN19a)
    send_connected(std::move(resume_failed), out);
}

/// A client is asked for a new token some time before its own ends, unless that was shorter from the start: an SDK that cannot
/// renew gives up when it is asked (RSA4a2), and has a right to its token until then.
void Connection::take_on(auth::Identity identity, Time now) {
    identity_ = std::move(identity);
    asked_to_authorise_ = false;
    ask_from_.reset();
    if (identity_.expires && *identity_.expires - now > token_renewal_lead) ask_from_ = *identity_.expires - token_renewal_lead;
    revoked_from_.reset();
}

void Connection::send_connected(std::optional<Error> error, Outbox& out) {
    ProtocolMessage message{.action = Action::connected, .connection_id = id_, .error = std::move(error)};
    message.connection_details = protocol::ConnectionDetails{
        .client_id = identity_.client_id,
        .connection_key = make_connection_key(id_, facts_.epoch, key_nonce_, facts_.connection_secret),
        .server_id = facts_.server_id,
        .max_message_size = static_cast<std::int64_t>(identity_.app->limits.message_bytes),
        .max_frame_size = limits::frame_bytes_max,
        .max_inbound_rate = static_cast<std::int64_t>(identity_.app->limits.inbound_per_connection),
        .connection_state_ttl_ms = std::chrono::milliseconds{limits::connection_state_ttl}.count(),
        .max_idle_interval_ms = std::chrono::milliseconds{limits::max_idle_interval}.count(),
    };
    out.send(std::move(message));
}

void Connection::receive(ProtocolMessage&& message, Time now, Outbox& out) {
    if (const auto allowed = check_rate(message, now); !allowed) return publish(*message.msg_serial, std::unexpected(allowed.error()), out);
    if (!is_publish(message.action)) acknowledge(out);
    else if (const auto taken = check_params(message); !taken) return refuse(message, taken.error(), out);
    switch (message.action) {
        case Action::heartbeat: return out.send({.action = Action::heartbeat, .id = std::move(message.id)});
        case Action::attach: return on_attach(message, now, out);
        case Action::detach: return on_detach(message, out);
        case Action::message: return on_message(message, now, out);
        case Action::presence: return on_presence(message, out);
        case Action::sync: return on_sync(message, out);
        case Action::annotation: return on_annotation(message, out);
        case Action::object: return on_object(message, out);
        case Action::auth: return on_auth(message, now, out);
        case Action::close: return on_close(out);
        case Action::disconnect: return drop_transport({ErrorCode::disconnected, "Disconnected at the client's request"}, out);
        default:
            return refuse(
                message,
                {ErrorCode::bad_request, fmt::format("Action {} is not one a client may send", static_cast<int>(message.action))}, out);
    }
}

void Connection::refuse(const protocol::Refused& refused, Outbox& out) {
    if (is_msg_serial(refused.msg_serial)) return publish(*refused.msg_serial, std::unexpected(refused.error), out);
    acknowledge(out);
    if (!refused.channel.empty()) return refuse_channel(refused.channel, refused.error, out);
    end(refused.error, out);
}

void Connection::refuse(const ProtocolMessage& message, Error error, Outbox& out) {
    refuse({.msg_serial = message.msg_serial, .channel = message.channel, .error = std::move(error)}, out);
}

void Connection::end(const Error& error, Outbox& out) {
    acknowledge(out);
    out.send({.action = Action::error, .error = error});
    end(out);
}

// --- channels -------------------------------------------------------------------------------------------------------------

void Connection::on_attach(ProtocolMessage& message, Time now, Outbox& out) {
    const auto name = channel_of(message.channel);
    if (!name) return refuse_channel(message.channel, name.error(), out);
    auto named = name->params;
    for (auto& [key, value] : message.params) named.insert_or_assign(key, value);
    auto params = attach_params(named, now);
    const auto in_flags = message.flags & flag::all_modes;
    auto asked = params && params->modes ? *params->modes : in_flags != 0 ? in_flags : flag::default_modes;
    const auto allowed = modes_allowed(name->full);
    const Error denied{ErrorCode::capability_denied, "Channel denied access based on given capability"};
    if ((asked & allowed) == 0) return refuse_channel(name->full, denied, out);
    const auto filter = filter_of(*name);
    if (!filter) return refuse_channel(name->full, filter.error(), out);
    if (*filter && ((asked &= flag::subscribe) & allowed) == 0) return refuse_channel(name->full, denied, out);
    if (!params) return refuse_channel(name->full, params.error(), out);
    const bool known = attachments_.contains(name->full);
    if (const auto most = identity_.app->limits.channels_per_connection; !known && attachments_.size() >= most) {
        return refuse_channel(
            name->full, {ErrorCode::channel_limit_exceeded, fmt::format("A connection attaches to {} channels at most", most)}, out);
    }

    if (const auto of_channel = [&](const auto& each) { return each.second.channel == name->base; };
        !known && std::ranges::count_if(attachments_, of_channel) >= static_cast<std::ptrdiff_t>(limits::aliases_per_channel_max)) {
        return refuse_channel(
            name->full,
            {ErrorCode::channel_limit_exceeded,
             fmt::format("A connection attaches to one channel by {} names at most", limits::aliases_per_channel_max)},
            out);
    }

    const auto granted = asked & allowed;
    params->grant(granted);
    auto& attachment = attachments_[name->full];
    attachment.channel = name->base;
    attachment.filter = *filter;
    attachment.asked = asked;
    const Standing standing{
        .modes = granted,
        .wants_occupancy = params->kept.contains("occupancy"),
        .deltas = params->kept.contains("delta"),
        .whole_appends = params->kept.contains("appendMode")};
    // Who asks for what it has anew lost its place, as when a delta could not be applied (RTL18c), and ignores what is on its way.
    // Who asks for something else (RTL16) has not: neither a resume nor a rewind would be new to it.
    const bool goes_on = attachment.attached && !(params->kept == attachment.params && granted == attachment.counted.modes);
    attachment.params = std::move(params->kept);

    broker::From from;
    // RTL4j: who comes back goes on where it was, or from now on; it was told of the past when it came.
    const bool comes_back = attachment.attached || (message.flags & flag::attach_resume) != 0 || !message.channel_serial.empty();
    if (!comes_back) from = params->from;
    if (const auto after = broker::parse_serial(message.channel_serial); after && !goes_on) from = {.after = after};
    ask_to_attach(name->full, attachment, standing, from, known, out);
}

void Connection::ask_to_attach(const std::string& name, Attachment& attachment, const Standing& as, const broker::From& from, bool known,
                               Outbox& out) {
    attachment.number = ++attach_number_;
    AttachRequest request{.name = name, .channel = attachment.channel, .number = attachment.number, .as = as, .before = {}, .from = from};
    if (known) request.before = attachment.counted;
    attachment.counted = as;
    out.ask(std::move(request));
}

/// RTL4l: what of the modes the capability allows, and there is here to be granted.
std::int64_t Connection::modes_allowed(std::string_view name) const {
    return auth::modes_allowed(identity_.capability.on(name)) & flag::served_modes;
}

void Connection::on_attached(const std::string& name, std::uint64_t number, Result<Attached> answer, Outbox& out) {
    auto* attachment = this->attachment(name);
    if (!attachment || attachment->number != number || !transport_) return;
    if (!answer) {
        if (attachment->attached) out.ask(UnlistenRequest{name, attachment->channel, attachment->seat});
        const auto channel = std::move(attachment->channel);
        out.ask(DetachRequest{.name = name, .channel = channel, .as = attachment->counted});  // it was counted when it was asked for
        attachments_.erase(name);
        leave_unattached(channel, out);
        // RTL13b: after a DETACHED the client tries again by itself; an ERROR is for good.
        const bool for_now = protocol::http_status(answer.error()) >= 500;
        return out.send({.action = for_now ? Action::detached : Action::error, .channel = name, .error = answer.error()});
    }
    const bool live = std::exchange(attachment->attached, true);
    if (live) out.ask(UnlistenRequest{name, attachment->channel, attachment->seat});
    attachment->modes = attachment->counted.modes;
    const auto occupancy = attachment->params.find("occupancy");
    attachment->occupancy = occupancy == attachment->params.end() ? "" : occupancy->second;

    const bool sees_presence = (attachment->modes & flag::presence_subscribe) != 0 && !answer->members.empty();
    ProtocolMessage attached{.action = Action::attached, .flags = attachment->modes, .channel = name};
    attached.channel_serial = broker::to_serial(answer->replay.start);
    attached.params = attachment->params;
    if (answer->resumed || (live && !answer->gap)) attached.flags |= flag::resumed;
    if (answer->gap) {
        attached.error =
            Error{ErrorCode::channel_messages_expired, "Unable to recover channel: not all that came after the channelSerial is held"};
    }
    if (answer->replay.truncated) {
        attached.error = Error{ErrorCode::channel_message_limit_exceeded,
                               fmt::format("The rewind gives the last of more: {} messages or {} bytes at most",
                                           limits::rewind_messages_max, limits::rewind_bytes_max)};
    }
    if (sees_presence) attached.flags |= flag::has_presence;
    if (!answer->resumed && !answer->replay.entries.empty()) attached.flags |= flag::has_backlog;
    out.send(std::move(attached));

    if (sees_presence) send_sync(name, std::move(answer->members), out);
    ListenRequest listen{.name = name};
    listen.before = send_replayed(name, *attachment, answer->replay.entries, out);
    if (!attachment->occupancy.empty()) {
        out.send(occupancy_message(name, attachment->occupancy, answer->occupancy));
        listen.before = {};
    }
    out.ask(std::move(listen));
}

/// What a live delivery would have sent of these; gives the last of it.
LastSent Connection::send_replayed(const std::string& name, const Attachment& attachment, const std::vector<broker::EntryPtr>& entries,
                                   Outbox& out) const {
    LastSent last;
    for (const auto& entry : entries) {
        if (!options_.echo && entry->message.connection_id == id_) continue;
        if ((attachment.modes & mode_for(entry->message.action)) == 0) continue;
        Subjects subjects{*entry};
        auto selection = select(*entry, subjects, name, attachment.filter);
        if (!selection) continue;
        if (attachment.counted.deltas) make_deltas(selection->message.messages, last.message());
        send_in_frames(std::move(selection->message), out);
        if (entry->message.action == Action::message) last = {.entry = entry, .index = selection->last};
    }
    return last;
}

/// RTP18: pages of members under one sync id; an empty cursor ends it.
void Connection::send_sync(const std::string& name, std::vector<protocol::PresenceMessage> members, Outbox& out) {
    ++sync_number_;
    const auto count = members.size();
    std::size_t sent = 0;
    for (auto& page : protocol::in_parts(std::move(members), protocol::frame_content_bytes_max, limits::presence_sync_page)) {
        sent += page.size();
        out.send({.action = Action::sync,
                  .channel = name,
                  .channel_serial = fmt::format("{}:{}", sync_number_, sent < count ? std::to_string(sent) : ""),
                  .presence = std::move(page)});
    }
}

/// RTP19: a client that wants to know who is present asks with a SYNC of its own.
void Connection::on_sync(const ProtocolMessage& message, Outbox& out) {
    const auto* attachment = this->attachment(message.channel);
    if (!attachment || !attachment->attached) {
        return refuse_channel(message.channel, {ErrorCode::invalid_channel_state, "A SYNC needs an attached channel"}, out);
    }
    if ((attachment->modes & flag::presence_subscribe) == 0) {
        return refuse_channel(message.channel, {ErrorCode::capability_denied, "A SYNC needs the mode presence_subscribe"}, out);
    }
    out.ask(SyncRequest{.name = message.channel, .channel = attachment->channel});
}

void Connection::on_members(const std::string& name, std::vector<protocol::PresenceMessage> members, Outbox& out) {
    const auto* attachment = this->attachment(name);
    if (attachment && attachment->attached && (attachment->modes & flag::presence_subscribe) != 0) send_sync(name, std::move(members), out);
}

void Connection::on_detach(const ProtocolMessage& message, Outbox& out) {
    detach(message.channel, out);
    out.send({.action = Action::detached, .channel = message.channel, .of_channel = message.channel.empty()});
}

void Connection::detach(const std::string& name, Outbox& out) {
    const auto found = attachments_.find(name);
    if (found == attachments_.end()) return;
    drop_attachment(found->first, found->second, out);
    const auto channel = std::move(found->second.channel);
    attachments_.erase(found);
    leave_unattached(channel, out);
}

/// RTL14: the client's channel has failed, so it is attached no longer.
void Connection::refuse_channel(const std::string& name, const Error& error, Outbox& out) {
    detach(name, out);
    out.send({.action = Action::error, .channel = name, .of_channel = name.empty(), .error = error});
}

void Connection::drop_attachments(Outbox& out) {
    for (const auto& [name, attachment] : attachments_) drop_attachment(name, attachment, out);
    attachments_.clear();
}

void Connection::drop_attachment(const std::string& name, const Attachment& attachment, Outbox& out) {
    if (attachment.attached) out.ask(UnlistenRequest{name, attachment.channel, attachment.seat});
    out.ask(DetachRequest{.name = name, .channel = attachment.channel, .as = attachment.counted});
}

// --- publishing -----------------------------------------------------------------------------------------------------------

void Connection::on_message(ProtocolMessage& message, Time now, Outbox& out) {
    if (!is_msg_serial(message.msg_serial)) return refuse(message, {ErrorCode::bad_request, "A MESSAGE needs a msgSerial"}, out);
    const auto draft = [&]() -> Result<broker::Draft> {
        const auto name = channel_of(message.channel);
        if (!name) return std::unexpected(name.error());
        auto made = draft_messages(identity_, *name, id_, std::move(message.messages));
        if (const auto checked = check_mode(*name, flag::publish); made && !checked) return std::unexpected(checked.error());
        return made;
    };
    publish(*message.msg_serial, draft(), out, now);
}

void Connection::on_annotation(ProtocolMessage& message, Outbox& out) {
    if (!is_msg_serial(message.msg_serial)) return refuse(message, {ErrorCode::bad_request, "An ANNOTATION needs a msgSerial"}, out);
    const auto draft = [&]() -> Result<broker::Draft> {
        const auto name = channel_of(message.channel);
        if (!name) return std::unexpected(name.error());
        auto made = draft_annotations(identity_, *name, std::move(message.annotations));
        if (const auto checked = check_mode(*name, flag::annotation_publish); made && !checked) return std::unexpected(checked.error());
        return made;
    };
    publish(*message.msg_serial, draft(), out);
}

/// LiveObjects are not here: who publishes one is told, and keeps its connection.
void Connection::on_object(const ProtocolMessage& message, Outbox& out) {
    if (!is_msg_serial(message.msg_serial)) return refuse(message, {ErrorCode::bad_request, "An OBJECT needs a msgSerial"}, out);
    publish(*message.msg_serial, fail(ErrorCode::feature_not_available, "LiveObjects are not available on this server"), out);
}

/// Who attached without a mode did not want to use it; who is not attached was not asked.
Result<void> Connection::check_mode(const ChannelName& name, std::int64_t mode) const {
    const auto found = attachments_.find(name.full);
    if (found == attachments_.end() || !found->second.attached || (found->second.modes & mode) != 0) return {};
    return fail(ErrorCode::capability_denied, "The channel is attached without the mode that this needs");
}

void Connection::on_presence(ProtocolMessage& message, Outbox& out) {
    if (!is_msg_serial(message.msg_serial)) return refuse(message, {ErrorCode::bad_request, "A PRESENCE needs a msgSerial"}, out);
    if (const auto checked = check_presence(message); !checked) return publish(*message.msg_serial, std::unexpected(checked.error()), out);
    const auto& channel = attachments_.at(message.channel).channel;
    for (const auto& each : message.presence) {
        auto& clients = present_[channel];
        if (each.action == PresenceAction::leave) clients.erase(each.client_id);
        else clients.insert(each.client_id);
        if (clients.empty()) present_.erase(channel);
    }
    broker::Draft draft;
    draft.message = {.action = Action::presence, .channel = channel, .presence = std::move(message.presence)};
    publish(*message.msg_serial, std::move(draft), out);
}

Result<void> Connection::check_presence(ProtocolMessage& message) const {
    const auto found = attachments_.find(message.channel);
    if (found == attachments_.end() || !found->second.attached) {
        return fail(ErrorCode::invalid_channel_state, "Presence needs an attached channel");
    }
    if ((found->second.modes & flag::presence) == 0)
        return fail(ErrorCode::capability_denied, "The channel is attached without the presence mode");
    if (message.presence.empty()) return fail(ErrorCode::bad_request, "A PRESENCE without members");
    for (auto& each : message.presence) stamp_user_claim(each.extras, identity_, found->first);  // which counts in its size
    if (const auto fits = check_sizes(message.presence, identity_.app->limits); !fits) return fits;
    for (auto& each : message.presence) {
        if (const auto checked = check_id(each.id); !checked) return checked;
        if (each.action != PresenceAction::enter && each.action != PresenceAction::update && each.action != PresenceAction::leave) {
            return fail(ErrorCode::bad_request, "A client may enter, update or leave, and nothing else");
        }
        if (each.client_id.empty()) each.client_id = identity_.client_id == "*" ? "" : identity_.client_id;
        if (each.client_id.empty()) return fail(ErrorCode::presence_no_client_id, "Presence needs a clientId");
        if (!identity_.may_be(each.client_id) || each.client_id == "*") {
            return fail(ErrorCode::invalid_client_id, "This client may not be present as another");
        }
        if (each.client_id.size() > limits::client_id_bytes_max || !is_name(each.client_id)) {
            return fail(ErrorCode::invalid_client_id, "A clientId is a text without control characters, of {} bytes at most",
                        limits::client_id_bytes_max);
        }
        std::string{id_}.swap(each.connection_id);  // assigned, it would keep the place of what the client said
    }
    const auto present = present_.find(found->second.channel);
    const auto newcomers = std::ranges::count_if(message.presence, [&](const auto& each) {
        return each.action != PresenceAction::leave && !(present != present_.end() && present->second.contains(each.client_id));
    });
    const auto members = present == present_.end() ? 0 : present->second.size();
    if (newcomers > 0 && members + static_cast<std::size_t>(newcomers) > limits::presence_members_per_connection_max) {
        return fail(ErrorCode::presence_member_limit, "A connection enters {} members at most",
                    limits::presence_members_per_connection_max);
    }
    return check_frame(message);
}

/// A client that publishes faster than it may is told so for each publish, and goes on otherwise.
Result<void> Connection::check_rate(const ProtocolMessage& message, Time now) {
    const auto published = message.messages.size() + message.presence.size() + message.annotations.size();
    if (published == 0 || !is_msg_serial(message.msg_serial)) return {};
    if (inbound_.take(published, now)) return identity_.channel_claims ? check_token_rate(message, now) : Result<void>{};
    return fail(ErrorCode::connection_rate_limit_exceeded,
                "Rate limit exceeded; request rejected (nonfatal); metric = connection.inboundRate; permitted rate = {}",
                inbound_.per_second());
}

/// What the token lets this connection publish on a channel, by whatever name. Buckets count thousandths, since a rate may be below one.
Result<void> Connection::check_token_rate(const ProtocolMessage& message, Time now) {
    constexpr std::size_t unit = 1'000;
    const auto published = message.messages.size() + message.annotations.size();
    const auto channel = channel_of(message.channel);
    const auto* rate = channel && published > 0 ? identity_.channel_claims->publish_rate(channel->full) : nullptr;
    if (!rate) return {};
    const auto per_second = static_cast<std::size_t>(std::ceil(std::min(*rate, 1e9) * unit));
    const auto refusal = [&] {
        return fail(ErrorCode::connection_rate_limit_exceeded,
                    "Rate limit exceeded; request rejected (nonfatal); metric = ably.limits.publish.perAttachment; permitted rate = {}",
                    *rate);
    };
    if (per_second == 0) return refusal();
    auto bucket = publish_rates_.find(channel->base);
    if (bucket == publish_rates_.end() || bucket->second.per_second() != per_second) {
        if (publish_rates_.size() >= limits::channels_per_connection_max) {
            std::erase_if(publish_rates_, [&](const auto& each) { return each.second.full(now); });
        }
        if (publish_rates_.size() >= limits::channels_per_connection_max) return refusal();
        bucket = publish_rates_.insert_or_assign(channel->base, base::TokenBucket{per_second}).first;
    }
    return bucket->second.take(published * unit, now) ? Result<void>{} : refusal();
}

Result<void> Connection::check_params(const ProtocolMessage& message) {
    if (message.params.empty()) return {};
    const auto forced = message.params.find(std::string{force_nack_param});
    return forced == message.params.end() ? Result<void>{} : check_force_nack(forced->second);
}

/// Sends on what passed its checks, or answers with what it did not pass, in the ACKs' order either way. An append may wait for others.
void Connection::publish(std::int64_t msg_serial, Result<broker::Draft>&& draft, Outbox& out, std::optional<Time> may_wait) {
    acknowledgements_.expect(msg_serial);
    if (!draft) return on_published(msg_serial, std::unexpected(draft.error()), out);
    auto& message = draft->message;
    draft->perhaps_kept = revived_ || !broker::said_of(message).id.empty();
    const auto rolled = rolled_into_.find(msg_serial);
    message.id = broker::numbered(id_, static_cast<std::size_t>(rolled == rolled_into_.end() ? msg_serial : rolled->second));
    message.connection_id = id_;
    // What is sent again after a resume is known by its id (RTN19a).
    const auto identify = [&](auto& all) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].id.empty()) all[i].id = broker::numbered(message.id, i);
        }
    };
    identify(message.messages);
    identify(message.annotations);
    identify(message.presence);
    if (may_wait && rolled == rolled_into_.end() && rollup_.takes(*draft)) {
        Rollup::Out leaving;
        rollup_.add(msg_serial, *std::move(draft), *may_wait, leaving);
        out.rolls = true;
        return leave(std::move(leaving), out);
    }
    if (!rollup_.empty()) {
        Rollup::Out leaving;
        rollup_.flush(message.channel, leaving);
        leave(std::move(leaving), out);
    }
    out.ask_in_place<PublishRequest>(msg_serial, *std::move(draft));
}

void Connection::leave(Rollup::Out&& leaving, Outbox& out) {
    for (auto& [draft, msg_serials] : leaving) {
        const auto first = msg_serials.front();
        for (auto each = std::next(msg_serials.begin()); each != msg_serials.end(); ++each) rolled_into_[*each] = first;
        if (msg_serials.size() > 1) rolled_[first] = {std::next(msg_serials.begin()), msg_serials.end()};
        out.ask_in_place<PublishRequest>(first, std::move(draft));
    }
    while (rolled_into_.size() > limits::publishes_in_flight_max) rolled_into_.erase(rolled_into_.begin());
}

void Connection::roll_up(Time now, Outbox& out) {
    Rollup::Out leaving;
    rollup_.end_windows(now, leaving);
    out.rolls = true;
    leave(std::move(leaving), out);
}

void Connection::flush_rollup(Outbox& out) {
    Rollup::Out leaving;
    rollup_.flush_all(leaving);
    leave(std::move(leaving), out);
}

void Connection::on_published(std::int64_t msg_serial, Result<std::vector<std::string>> serials, Outbox& out) {
    if (const auto others = rolled_.find(msg_serial); others != rolled_.end()) {
        for (const auto each : others->second) {
            if (!serials) rolled_into_.erase(each);
            acknowledgements_.answer(each, serials);
        }
        rolled_.erase(others);
    }
    acknowledgements_.answer(msg_serial, std::move(serials));
    out.answered = true;
}

// --- the session ----------------------------------------------------------------------------------------------------------

/// RTC8: a new token for a live connection. It may change what the client may do, not who it is.
void Connection::on_auth(const ProtocolMessage& message, Time now, Outbox& out) {
    auto identity = auth::check_token(facts_.apps, message.access_token, now);
    if (!identity) return end(identity.error(), out);
    if (identity->app_id() != identity_.app_id()) return end({ErrorCode::incompatible_credentials, "The token is for another app"}, out);
    if (identity->client_id.empty() || identity->client_id == "*") identity->client_id = identity_.client_id;
    if (identity->client_id != identity_.client_id && !identity_.client_id.empty()) {
        return end({ErrorCode::incompatible_credentials, "The token is for another clientId"}, out);
    }
    take_on(*std::move(identity), now);
    for (auto each = attachments_.begin(); each != attachments_.end();) {
        auto& [name, attachment] = *each++;
        const auto granted = attachment.asked & modes_allowed(name);
        if ((attachment.counted.modes & ~granted) == 0) {
            if (attachment.attached && granted != attachment.counted.modes) grant_more(name, attachment, granted, out);
            continue;
        }
        // RTC8a1: a channel that is no longer allowed as it was attached fails, with the reason.
        const auto failed = name;
        refuse_channel(failed, {ErrorCode::capability_denied, "Channel denied access based on the new token's capability"}, out);
    }
    send_connected(std::nullopt, out);
}

/// What was asked for in vain when the channel was attached: told by an additional ATTACHED (RTL12).
void Connection::grant_more(const std::string& name, Attachment& attachment, std::int64_t granted, Outbox& out) {
    if (const auto told = attachment.params.find("modes"); told != attachment.params.end()) told->second = modes_text(granted);
    auto as = attachment.counted;
    as.modes = granted;
    ask_to_attach(name, attachment, as, {}, true, out);
}

void Connection::on_close(Outbox& out) {
    out.send({.action = Action::closed});
    end(out);
}

void Connection::tick(Time now, Outbox& out) {
    if (!transport_) {
        if (lost_ && now >= *lost_ + options_.presence_grace) leave_everywhere(out);
        if (lost_ && now >= *lost_ + limits::connection_state_ttl) end(out);
        return;
    }
    if (transport_->was_heard() || !heard_) heard_ = now;
    if (now >= *heard_ + limits::silence_max) return drop_transport({ErrorCode::disconnected, "Nothing came from the client"}, out);
    const bool idle = transport_->was_idle();
    if (idle && options_.heartbeats) out.send({.action = Action::heartbeat});
    if ((idle && !options_.heartbeats) || now >= *heard_ + limits::max_idle_interval) transport_->ping();
    tell_positions(now, out);
    if (revoked_from_ && now >= *revoked_from_) return drop_transport({ErrorCode::token_revoked, "Token revoked"}, out);
    if (!identity_.expires) return;
    if (now >= *identity_.expires) return drop_transport({ErrorCode::token_expired, "Token expired"}, out);
    if (ask_from_ && now >= *ask_from_ && !std::exchange(asked_to_authorise_, true)) out.send({.action = Action::auth});
}

/// What a filter holds back moves no client's channelSerial, and a resume from there would look like a loss once the window has
/// passed. So it is told of the channel's tail now and then, by an ATTACHED that changes nothing else (RTL12).
void Connection::tell_positions(Time now, Outbox& out) {
    if (!told_positions_) told_positions_ = now;
    if (now < *told_positions_ + positions_told_every) return;
    told_positions_ = now;
    for (auto& [name, attachment] : attachments_) {
        if (attachment.filter && attachment.attached) ask_to_attach(name, attachment, attachment.counted, {}, true, out);
    }
}

/// RTL12: an additional ATTACHED without RESUMED, from where the channel goes on.
void Connection::interrupted(const std::unordered_set<std::string>& addresses, Outbox& out) {
    const broker::From nowhere{.after = broker::Position{}};
    for (auto& [name, attachment] : attachments_) {
        if (attachment.attached && addresses.contains(address(attachment.channel)))
            ask_to_attach(name, attachment, attachment.counted, nowhere, true, out);
    }
}

void Connection::check_revoked(Time now, Outbox& out) {
    if (!transport_ || !identity_.revocable) return;
    const auto revoked_from = facts_.apps.revocations().revoked_from(identity_.key_name, *identity_.revocable, identity_.capability);
    if (!revoked_from) return;
    if (*revoked_from <= now) return drop_transport({ErrorCode::token_revoked, "Token revoked"}, out);
    revoked_from_ = revoked_from;
    if (!std::exchange(asked_to_authorise_, true)) out.send({.action = Action::auth});
}

void Connection::transport_lost(Time now, Outbox& out) {
    flush_rollup(out);
    transport_ = nullptr;
    lost_ = now;
    drop_attachments(out);
    if (options_.presence_grace.count() == 0) leave_everywhere(out);
}

void Connection::shut_down(Outbox& out) { drop_transport({ErrorCode::disconnected, "The server is going down; please reconnect"}, out); }

/// RTN15h: the client may come back at once, and resume.
void Connection::drop_transport(const Error& error, Outbox& out) {
    acknowledge(out);
    out.send({.action = Action::disconnected, .error = error});
    out.dropped = true;
}

void Connection::leave_everywhere(Outbox& out) {
    for (const auto& [channel, clients] : present_) out.ask(LeaveRequest{channel});
    present_.clear();
}

/// RTP5a: who detaches forgets that it is present, and so do all others. Under another name of the channel it may be attached yet,
/// unless that is a filter's, through which nobody is present.
void Connection::leave_unattached(const std::string& channel, Outbox& out) {
    const bool attached = std::ranges::any_of(
        attachments_, [&](const auto& each) { return each.second.channel == channel && !each.second.filter; });
    if (!attached && present_.erase(channel) > 0) out.ask(LeaveRequest{channel});
}

void Connection::end(Outbox& out) {
    flush_rollup(out);
    drop_attachments(out);
    leave_everywhere(out);
    out.ended = true;
}

}  // namespace realtime
