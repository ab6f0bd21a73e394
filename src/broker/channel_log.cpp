#include "broker/channel_log.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace broker {
namespace {

constexpr std::size_t overhead_bytes = 512;  // what the structs and the index weigh, roughly: of an entry, and of a message in it

std::size_t weight(const protocol::ProtocolMessage& message) {
    std::size_t bytes = overhead_bytes * (message.messages.size() + message.presence.size());
    for (const auto& each : message.messages) bytes += size_of(each);
    for (const auto& each : message.presence) bytes += size_of(each);
    return bytes;
}

/// What a publish whose publisher gave it an id is known by: another client that says the same id does not stand in its way.
/// Empty for presence, where the same id may be said anew (RTP17g).
std::string key_of(const protocol::ProtocolMessage& message) {
    if (message.messages.empty() || message.messages.front().id.empty()) return {};
    return message.messages.front().client_id + '\n' + message.messages.front().id;  // neither has control characters
}

/// Gives the protocol message its place and time, and its messages ids and serials.
void stamp(protocol::ProtocolMessage& message, const Position& position, Time now) {
    message.channel_serial = to_serial(position);
    if (message.timestamp == 0) message.timestamp = base::to_ms(now);
    if (message.id.empty()) message.id = message.channel_serial;
    for (std::size_t i = 0; i < message.messages.size(); ++i) {
        auto& each = message.messages[i];
        if (each.id.empty()) each.id = fmt::format("{}:{}", message.id, i);
        each.serial = to_serial(Cursor{position, i});
    }
    for (std::size_t i = 0; i < message.presence.size(); ++i) {
        auto& each = message.presence[i];
        if (each.id.empty()) each.id = fmt::format("{}:{}", message.id, i);
    }
}

bool in_range(const HistoryQuery& query, const Entry& entry) {
    if (entry.message.action != query.kind) return false;
    if (query.start && entry.timestamp < *query.start) return false;
    if (query.end && entry.timestamp > *query.end) return false;
    if (query.after && (query.direction == Direction::backwards ? entry.position > query.after->position
                                                                : entry.position < query.after->position)) return false;
    return !query.until || entry.position <= *query.until;
}

/// Adds the entry's messages to the page in the query's direction; false when the page is full.
bool add_to_page(const HistoryQuery& query, const Entry& entry, HistoryPage& page) {
    const bool backwards = query.direction == Direction::backwards;
    const auto messages = messages_of(entry);
    const auto presence = presence_of(entry);
    const auto count = std::max(messages.size(), presence.size());
    for (std::size_t step = 0; step < count; ++step) {
        const auto index = backwards ? count - 1 - step : step;
        const Cursor cursor{entry.position, index};
        if (query.after && (backwards ? cursor >= *query.after : cursor <= *query.after)) continue;
        if (page.messages.size() + page.presence.size() == query.limit) return false;
        if (index < messages.size()) page.messages.push_back(messages[index]);
        if (index < presence.size()) page.presence.push_back(presence[index]);
        page.next = cursor;
    }
    return true;
}

}  // namespace

EntryPtr ChannelLog::held(const std::string& key) const {
    if (key.empty()) return nullptr;
    const auto found = by_id_.find(key);
    return found == by_id_.end() ? nullptr : found->second;
}

void ChannelLog::push(std::shared_ptr<Entry> entry) {
    PAL_ASSERT(entry->position > tail_);
    tail_ = entry->position;
    bytes_ += entry->bytes;
    entries_.push_back(std::move(entry));
}

Published ChannelLog::append(Draft draft, std::uint64_t count, Time now) {
    const auto key = draft.place ? std::string{} : key_of(draft.message);
    if (auto before = held(key)) return {.entry = std::move(before), .duplicate = true};
    if (draft.place && *draft.place <= tail_.wal) return {.entry = nullptr, .duplicate = true};
    const Position position = draft.place ? Position{.wal = *draft.place} : Position{.wal = tail_.wal, .epoch = epoch_, .count = count};
    stamp(draft.message, position, now);
    auto entry = std::make_shared<Entry>();
    entry->position = position;
    entry->timestamp = base::from_ms(draft.message.timestamp);
    entry->bytes = weight(draft.message);
    entry->message = std::move(draft.message);
    push(entry);
    if (!key.empty()) by_id_.emplace(key, entry);
    return {.entry = std::move(entry)};
}

Replay ChannelLog::replay(const From& from) const {
    Replay replay{.start = tail_, .entries = {}, .tail = tail_, .complete = true};
    auto first = entries_.end();
    if (from.after) {
        // What an earlier process sequenced itself went with it: of its positions only the place in the WAL still means something.
        const auto after = from.after->epoch == epoch_ ? *from.after : Position{.wal = from.after->wal};
        replay.complete = after >= floor_ && after <= tail_;
        if (replay.complete) {
            first = std::upper_bound(entries_.begin(), entries_.end(), after,
                                     [](const Position& position, const EntryPtr& entry) { return position < entry->position; });
        }
    } else if (from.since) {
        first = std::lower_bound(entries_.begin(), entries_.end(), *from.since,
                                 [](const EntryPtr& entry, Time since) { return entry->timestamp < since; });
    } else if (from.last_messages) {
        for (std::size_t wanted = *from.last_messages; wanted > 0 && first != entries_.begin();) {
            --first;
            if ((*first)->message.action == protocol::Action::message) wanted -= std::min(wanted, (*first)->message.messages.size());
        }
    }
    if (first != entries_.end()) replay.start = first == entries_.begin() ? floor_ : (*std::prev(first))->position;
    std::size_t bytes = 0;
    for (; first != entries_.end(); ++first) {
        if ((*first)->message.action != protocol::Action::message) continue;
        bytes += (*first)->bytes;
        replay.entries.push_back(*first);
    }
    if (replay.entries.size() > base::limits::replay_messages_max || bytes > base::limits::replay_bytes_max) {
        replay = {.start = tail_, .entries = {}, .tail = tail_, .complete = false};
    }
    return replay;
}

HistoryPage ChannelLog::history(const HistoryQuery& query) const {
    HistoryPage page;
    bool room = true;
    if (query.direction == Direction::backwards) {
        for (auto entry = entries_.rbegin(); room && entry != entries_.rend(); ++entry) {
            if (in_range(query, **entry)) room = add_to_page(query, **entry, page);
        }
    } else {
        for (auto entry = entries_.begin(); room && entry != entries_.end(); ++entry) {
            if (in_range(query, **entry)) room = add_to_page(query, **entry, page);
        }
    }
    if (room) page.next.reset();  // the page holds the last there is
    return page;
}

void ChannelLog::start_at(WalPlace place) {
    PAL_ASSERT(tail_.wal == WalPlace{});
    floor_ = tail_ = {.wal = place};
    entries_.clear();
    by_id_.clear();
    bytes_ = 0;
}

void ChannelLog::trim(Time horizon, std::size_t bytes_max) {
    while (!entries_.empty() && (entries_.front()->timestamp < horizon || bytes_ > bytes_max)) drop_oldest();
}

void ChannelLog::drop_oldest() {
    const auto& oldest = entries_.front();
    floor_ = oldest->position;
    bytes_ -= oldest->bytes;
    if (const auto found = by_id_.find(key_of(oldest->message)); found != by_id_.end() && found->second == oldest) by_id_.erase(found);
    entries_.pop_front();
}

}  // namespace broker
