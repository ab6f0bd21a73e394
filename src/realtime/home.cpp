#include "realtime/home.hpp"

#include <algorithm>

#include "base/resource_limits.hpp"
#include "protocol/frame_size.hpp"
#include "realtime/hub.hpp"
#include "realtime/load.hpp"

namespace realtime {

using base::fail;

namespace {

/// Whoever is there may update and leave; newcomers and what they bring must fit.
bool has_room_for(const PresenceSet& members, const std::vector<protocol::PresenceMessage>& presence, std::size_t members_max) {
    std::size_t newcomers = 0, bytes = 0;
    for (const auto& each : presence) {
        if (each.action == protocol::PresenceAction::leave) continue;
        bytes += PresenceSet::weight(each);
        if (!members.contains(each.connection_id, each.client_id)) ++newcomers;
    }
    if (bytes > 0 && members.bytes() + bytes > base::limits::presence_bytes_per_channel_max) return false;
    return newcomers == 0 || members.size() + newcomers <= members_max;
}

/// What a database fed has none that anybody asks for.
std::vector<std::string> serials_of(const broker::Published& published) {
    std::vector<std::string> serials;
    if (!published.entry || published.entry->position.epoch == 0) return serials;
    for (const auto& message : published.entry->message.messages) serials.push_back(broker::version_of(message));
    for (const auto& annotation : published.entry->message.annotations) serials.push_back(annotation.serial);
    return serials;
}

/// Of what was published together, by the first: the others follow it.
std::vector<std::string> serials_from(const std::string& first, std::size_t count) {
    std::vector<std::string> serials{first};
    const auto cursor = broker::parse_cursor(first);
    for (std::size_t i = 1; i < count && cursor; ++i) serials.push_back(to_serial(broker::Cursor{cursor->position, cursor->index + i}));
    return serials;
}

base::Error being_read() {
    return {ErrorCode::unavailable, "The channel's history is being read from the database; try again shortly"};
}

}  // namespace

Home::Home(Hub& here, std::size_t index, Mesh& mesh, std::unique_ptr<broker::Broker> broker, Tap* tap, Clock clock)
    : here_(here), index_(index), mesh_(mesh), broker_(std::move(broker)), tap_(tap), clock_(clock) {}

Home::Channel& Home::channel(const std::string& address) {
    if (const auto found = channels_.find(address); found != channels_.end()) return found->second;
    stats::Use use{here_.stats(), std::string{app_of(address)}, stats::Resource::channels};
    return channels_.try_emplace(address, mesh_.size(), std::move(use)).first->second;
}

// --- attachments ------------------------------------------------------------------------------------------------------------

void Home::count(const std::string& address, Channel& channel, const Follower& follower, int change) {
    const auto by = static_cast<std::size_t>(change);  // wraps down for -1
    channel.followers[follower.shard] += by;
    if (follower.plain) channel.plain_followers[static_cast<std::size_t>(follower.format)] += by;
    if (follower.as.whole_appends) channel.whole_followers += by;
    channel.occupancy.count(follower.as.modes, follower.as.wants_occupancy, change);
    if (channel.occupancy.wanted()) occupancy_changed_.insert(address);
}

void Home::attach(const std::string& address, AttachRequest request, Follower follower, std::optional<Follower> before, AttachDone done) {
    auto& channel = this->channel(address);
    count(address, channel, follower, +1);
    const auto& from = request.from;
    if ((from.after || from.last_messages || from.since) && here_.facts().sheds(base::Pressure::drop_readers)) {
        if (before) count(address, channel, *before, -1);
        return done(fail(ErrorCode::unavailable, "The server has no memory to spare for what came before; attach again later"));
    }
    if (before) count(address, channel, *before, -1);
    const auto& after = request.from.after;
    const bool waits = rebuilding(address) || (rebuilding_ && after && after->wal != broker::WalPlace{});
    if (!waits) return replay(address, request, std::move(done));
    if (until_caught_up_.size() >= base::limits::attaches_waiting_max) return done(std::unexpected(being_read()));
    until_caught_up_.push_back([this, address, request = std::move(request), done = std::move(done)]() mutable {
        replay(address, request, std::move(done));
    });
}

void Home::replay(const std::string& address, const AttachRequest& request, AttachDone done) {
    const bool resuming = request.from.after.has_value();
    auto answer = [this, address, resuming, done = std::move(done)](Result<broker::Replay> replay, bool resumed) mutable {
        if (!replay) return done(std::unexpected(replay.error()));
        done(Attached{.replay = *std::move(replay),
                      .resumed = resumed,
                      .gap = resuming && !resumed,
                      .members = members(address),
                      .occupancy = occupancy(address).value_or(OccupancyMetrics{})});
    };
    auto from = request.from;
    from.whole_appends = request.as.whole_appends;
    broker_->replay(address, from, clock_(), [resuming, answer = std::move(answer)](Result<broker::Replay> replay) mutable {
        const bool resumed = resuming && replay && replay->complete;
        answer(std::move(replay), resumed);
    });
}

void Home::detach(const std::string& address, const Follower& follower) {
    count(address, channels_.at(address), follower, -1);
    drop_if_unused(address);
}

void Home::drop_if_unused(const std::string& address) {
    const auto found = channels_.find(address);
    if (!found->second.members.empty() || !found->second.occupancy.empty()) return;
    occupancy_changed_.erase(address);
    channels_.erase(found);
}

// --- messages ---------------------------------------------------------------------------------------------------------------

void Home::publish(const std::string& address, broker::Draft&& draft, const ChannelBounds& bounds, PublishDone done) {
    if (draft.message.action == Action::presence) {
        if (const auto applied = apply_presence(address, draft.message, bounds); !applied) return done(std::unexpected(applied.error()));
        if (draft.message.presence.empty()) return done(std::vector<std::string>{});
    } else if (!rate_allows(address, draft.message.messages.size() + draft.message.annotations.size(), bounds.messages_per_second)) {
        return done(fail(ErrorCode::rate_limit_exceeded,
                         "Rate limit exceeded; request rejected (nonfatal); metric = channel.maxRate; permitted rate = {}",
                         bounds.messages_per_second));
    }
    if (!asks_archive(draft, bounds)) return order(address, std::move(draft), bounds, std::move(done));
    const auto bytes = static_cast<std::size_t>(load_of(draft.message).bytes);
    if (const auto admitted = archive_->admit(); !admitted || unsure_bytes_ + bytes > base::limits::archive_queue_bytes_max) {
        return done(admitted ? fail(ErrorCode::unavailable, "Too many messages wait for the database; try again shortly")
                             : std::unexpected(admitted.error()));
    }
    unsure_bytes_ += bytes;
    auto& unsure = unsure_[address];
    unsure.push_back({.draft = std::move(draft), .bounds = bounds, .done = std::move(done)});
    if (unsure.size() == 1) find_kept(address);
}

/// A client that heard nothing of what it published says it again to us, who have come since, for as long as its connection can be
/// resumed. The broker knows nothing of it; the archive may.
bool Home::asks_archive(const broker::Draft& draft, const ChannelBounds& bounds) const {
    const auto until = base::from_ms(static_cast<std::int64_t>(here_.facts().epoch)) + 2 * base::limits::connection_state_ttl;
    return draft.perhaps_kept && archive_ && bounds.persisted && !draft.ephemeral && draft.message.action != Action::presence &&
           clock_() < until;
}

void Home::find_kept(const std::string& address) {
    archive_->find(address, broker::said_of(unsure_.at(address).front().draft.message),
                   [this, address](Result<std::optional<std::string>> serial) {
                       auto& unsure = unsure_.at(address);
                       auto [draft, bounds, done] = std::move(unsure.front());
                       unsure.pop_front();
                       unsure_bytes_ -= static_cast<std::size_t>(load_of(draft.message).bytes);
                       const bool last = unsure.empty();
                       if (last) unsure_.erase(address);
                       if (!serial) done(std::unexpected(serial.error()));
                       else if (*serial) done(serials_from(**serial, draft.message.messages.size()));
                       else order(address, std::move(draft), bounds, std::move(done));
                       if (!last) find_kept(address);
                   });
}

void Home::order(const std::string& address, broker::Draft&& draft, const ChannelBounds& bounds, PublishDone done) {
    // A rule is for what is said; whoever changes it or annotates it says nothing new.
    const bool ruled = tap_ && draft.message.action == Action::message && !draft.change && !draft.rows && !draft.ephemeral;
    const bool kept = archive_ && bounds.persisted && !draft.ephemeral;
    auto admitted = ruled ? tap_->admit(address) : Result<void>{};
    if (admitted && kept) admitted = archive_->admit();
    if (!admitted) return done(std::unexpected(admitted.error()));
    std::unique_ptr<broker::Draft> again;  // if what it changes or annotates is to be had from the archive
    if (kept && (draft.change || draft.message.action == Action::annotation)) again = std::make_unique<broker::Draft>(draft);
    broker_->publish(address, std::move(draft), clock_(),
                     [this, address, bounds, ruled, kept, again = std::move(again),
                      done = std::move(done)](Result<broker::Published> published) mutable {
                         if (!published && published.error().code == ErrorCode::not_found && again) {
                             return take_up(address, std::move(*again), bounds, std::move(done));
                         }
                         if (!published) return done(std::unexpected(published.error()));
                         hand_on(address, *published, ruled, kept, std::move(done));
                     });
}

/// A message that only the archive has is given back to the broker before it is changed.
void Home::take_up(const std::string& address, broker::Draft draft, const ChannelBounds& bounds, PublishDone done) {
    const auto& message = draft.message;
    const auto serial = message.annotations.empty() ? message.messages.front().serial : message.annotations.front().message_serial;
    archive_->look_up(address, serial,
                      [this, address, bounds, draft = std::move(draft), done = std::move(done)](Result<broker::Record> record) mutable {
                          if (!record) return done(std::unexpected(record.error()));
                          broker_->adopt(address, *std::move(record), clock_());
                          broker_->publish(address, std::move(draft), clock_(),
                                           [this, address, done = std::move(done)](Result<broker::Published> published) mutable {
                                               if (!published) return done(std::unexpected(published.error()));
                                               hand_on(address, *published, false, true, std::move(done));
                                           });
                      });
}

/// To subscribers at once; the publisher is told when the rule has handled it and the archive keeps it.
void Home::hand_on(const std::string& address, const broker::Published& published, bool ruled, bool kept, PublishDone done) {
    if (!published.duplicate) {
        fan_out(address, published.entry, published.latest ? &*published.latest : nullptr);
        if (published.summary) fan_out(address, published.summary);
    }
    struct Waiting {
        int unanswered;
        std::vector<std::string> serials;
        PublishDone done;
        Result<void> handled;
    };
    ruled = ruled && published.entry;
    if (!ruled && !kept) return done(serials_of(published));
    auto waiting = std::make_shared<Waiting>(Waiting{ruled + kept, serials_of(published), std::move(done), {}});
    const auto answered = [waiting] {
        if (--waiting->unanswered > 0) return;
        if (!waiting->handled) return waiting->done(std::unexpected(waiting->handled.error()));
        waiting->done(std::move(waiting->serials));
    };
    if (kept) archive_->keep(address, published.duplicate ? broker::Published{} : published, answered);
    if (!ruled) return;
    tap_->take(address, published.entry, published.duplicate, [waiting, answered](Result<void> handled) {
        waiting->handled = std::move(handled);
        answered();
    });
}

bool Home::rate_allows(const std::string& address, std::size_t messages, std::size_t per_second) {
    return per_second == 0 || rates_.try_emplace(address, per_second).first->second.take(messages, clock_());
}

/// What is left in the message is to be announced.
Result<void> Home::apply_presence(const std::string& address, ProtocolMessage& message, const ChannelBounds& bounds) {
    auto& channel = this->channel(address);
    const bool fits = has_room_for(channel.members, message.presence, bounds.members);
    if (fits) {
        // By its time an SDK tells whether our LEAVE is newer than the member it was told of in a SYNC (RTP2b1).
        for (auto& each : message.presence) each.timestamp = base::to_ms(clock_());
        std::erase_if(message.presence, [&](auto& each) { return !channel.members.apply(each); });
        if (channel.occupancy.wanted()) occupancy_changed_.insert(address);
    }
    drop_if_unused(address);
    if (fits) return {};
    return fail(ErrorCode::presence_member_limit, "The channel has as many members as it may");
}

void Home::leave(const std::string& address, const std::string& channel, const std::string& connection_id,
                 const ChannelBounds& bounds) {
    const auto found = channels_.find(address);
    if (found == channels_.end()) return;
    auto leaves = found->second.members.leaves_of(connection_id);
    if (leaves.empty()) return;
    for (auto& part : protocol::in_parts(std::move(leaves))) {  // what it entered bit by bit is too much for a frame, perhaps
        broker::Draft draft;
        draft.message = {.action = Action::presence, .channel = channel, .connection_id = connection_id, .presence = std::move(part)};
        publish(address, std::move(draft), bounds, [](auto) {});
    }
}

void Home::fan_out(const std::string& address, const broker::EntryPtr& entry, const protocol::Message* latest) {
    const auto found = channels_.find(address);
    if (found == channels_.end() || rebuilding(address)) return;  // who waits for the history is told of this by its replay
    const auto& channel = found->second;
    Frames frames;
    for (const auto format : {protocol::Format::json, protocol::Format::msgpack}) {
        const auto index = static_cast<std::size_t>(format);
        if (channel.plain_followers[index] > 0) frames[index] = encode_as(*entry, format, entry->message.channel);
    }
    broker::EntryPtr whole;
    if (latest && channel.whole_followers > 0 && broker::is_append(*entry)) whole = broker::with_whole(*entry, *latest);
    for (std::size_t shard = 0; shard < channel.followers.size(); ++shard) {
        if (channel.followers[shard] == 0) continue;
        if (shard == index_) here_.deliver(address, entry, frames, whole);
        else mesh_.post(shard, [address, entry, frames, whole](Hub& there) { there.deliver(address, entry, frames, whole); });
    }
}

// --- what is there ----------------------------------------------------------------------------------------------------------

void Home::history(const std::string& address, broker::HistoryQuery query, broker::HistoryDone done) {
    if (rebuilding(address)) return done(std::unexpected(being_read()));
    if (archive_ && query.persisted) return archive_->history(address, std::move(query), std::move(done));
    broker_->history(address, std::move(query), clock_(), std::move(done));
}

void Home::look_up(const std::string& address, std::string serial, bool persisted, broker::RecordDone done) {
    if (rebuilding(address)) return done(std::unexpected(being_read()));
    if (archive_ && persisted) return archive_->look_up(address, std::move(serial), std::move(done));
    broker_->look_up(address, std::move(serial), clock_(), std::move(done));
}

std::vector<protocol::PresenceMessage> Home::members(const std::string& address) const {
    const auto found = channels_.find(address);
    return found == channels_.end() ? std::vector<protocol::PresenceMessage>{} : found->second.members.members();
}

std::optional<OccupancyMetrics> Home::occupancy(const std::string& address) const {
    const auto found = channels_.find(address);
    if (found == channels_.end()) return std::nullopt;
    auto metrics = found->second.occupancy.metrics();
    metrics.presence_members = found->second.members.size();
    return metrics;
}

std::vector<Home::Active> Home::active(const std::function<bool(const std::string&)>& wanted, const std::string& after,
                                       std::size_t limit) const {
    std::vector<const std::string*> found;
    for (const auto& [address, channel] : channels_) {
        if (address > after && wanted(address)) found.push_back(&address);
    }
    limit = std::min(limit, found.size());
    const auto page = std::ranges::subrange(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(limit));
    std::ranges::partial_sort(found, page.end(), {}, [](const std::string* address) -> const std::string& { return *address; });
    std::vector<Active> all;
    for (const auto* address : page) all.push_back({*address, *occupancy(*address)});
    return all;
}

void Home::tell_occupancy(const std::string& address) {
    const auto metrics = *occupancy(address);
    const auto& followers = channels_.at(address).followers;
    for (std::size_t shard = 0; shard < followers.size(); ++shard) {
        if (followers[shard] > 0) mesh_.post(shard, [address, metrics](Hub& there) { there.deliver(address, metrics); });
    }
}

// --- the database, and time -------------------------------------------------------------------------------------------------

bool Home::rebuilding(const std::string& address) const {
    const auto below = [&](const std::string& prefix) { return address.starts_with(prefix); };
    return rebuilding_ && (fed_.contains(address) || std::ranges::any_of(fed_under_, below));
}

void Home::fed_by_database(std::unordered_set<std::string> addresses, std::vector<std::string> prefixes) {
    fed_ = std::move(addresses);
    fed_under_ = std::move(prefixes);
    rebuilding_ = true;
}

void Home::caught_up() {
    rebuilding_ = false;
    for (auto& waiting : std::exchange(until_caught_up_, {})) waiting();
}

void Home::interrupt(const std::string& address, bool is_prefix, broker::WalPlace place) {
    broker_->interrupt(address, is_prefix, place);
    std::vector<std::string> followed;
    for (const auto& [each, channel] : channels_) {
        if (is_prefix ? each.starts_with(address) : each == address) followed.push_back(each);
    }
    if (followed.empty()) return;
    for (std::size_t shard = 0; shard < mesh_.size(); ++shard) {
        mesh_.post(shard, [followed](Hub& there) { there.interrupted(followed); });
    }
}

void Home::tick() {
    std::erase_if(rates_, [now = clock_()](const auto& each) { return each.second.full(now); });
    for (const auto& address : std::exchange(occupancy_changed_, {})) {
        if (channels_.contains(address)) tell_occupancy(address);
    }
}

}  // namespace realtime
