#include "broker/channel_log.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "base/resource_limits.hpp"
#include "protocol/frame_size.hpp"

namespace broker {
namespace {

/// Of an entry or a message in an index: a hash table's node or slot, and what it has free.
constexpr std::size_t index_bytes = 64;

/// What the entry of this message takes in memory, with its place among the others. Of texts that are mostly escaped it is half of what
/// they take in a frame: a replay of a whole log must fit answers_bytes_max.
std::size_t weight(const protocol::ProtocolMessage& message, bool rows) {
    constexpr std::size_t shared_pointer_bytes = 16;
    auto bytes = sizeof(Entry) + shared_pointer_bytes + index_bytes + heap_bytes(message);
    if (rows) bytes += message.messages.size() * (sizeof(std::pair<std::string, Cursor>) + index_bytes);
    static_assert(base::limits::answers_bytes_max >= 2 * base::limits::channel_log_bytes_max);
    constexpr std::size_t short_bytes = 1'024;  // so much more cannot take twice that
    if (bytes <= short_bytes + sizeof(Entry)) return bytes;
    return std::max(bytes, (encoded_bytes_most(message.messages) + encoded_bytes_most(message.annotations)) / 2);
}

/// Gives the protocol message its place and time, and what is in it ids and, unless it brings them, serials.
void stamp(protocol::ProtocolMessage& message, const Position& position, Time now, bool rows) {
    message.channel_serial = to_serial(position);
    if (message.timestamp == 0) message.timestamp = base::to_ms(now);
    if (message.id.empty()) message.id = message.channel_serial;
    const auto each_one = [&](auto& all, auto&& give_serial) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].id.empty()) all[i].id = numbered(message.id, i);
            give_serial(all[i], to_serial(message.channel_serial, i));
        }
    };
    each_one(message.messages, [rows](protocol::Message& each, std::string serial) {
        if (each.version) each.version->serial = std::move(serial);
        else if (!rows) each.serial = std::move(serial);
    });
    each_one(message.annotations, [&](protocol::Annotation& each, std::string serial) {
        each.serial = std::move(serial);
        each.timestamp = message.timestamp;
    });
    each_one(message.presence, [](auto&, auto) {});
}

bool before(const EntryPtr& entry, const Position& position) { return entry->position < position; }

bool is_created(const protocol::Message& message) {
    return message.action.value_or(protocol::MessageAction::create) == protocol::MessageAction::create;
}

bool in_range(const HistoryQuery& query, const Entry& entry) {
    if (entry.message.action != query.kind || entry.ephemeral) return false;
    if (query.start && entry.timestamp < *query.start) return false;
    if (query.end && entry.timestamp > *query.end) return false;
    if (query.after && (query.direction == Direction::backwards ? entry.position > query.after->position
                                                                : entry.position < query.after->position)) return false;
    return !query.until || entry.position <= *query.until;
}

}  // namespace

Result<Published> ChannelLog::append(Draft&& draft, std::uint64_t& count, Time now) {
    const SaidIndex::Key key{draft.place ? Said{} : said_of(draft.message)};
    const bool has_id = !key.said.id.empty();
    if (auto before = has_id ? said_.find(key) : nullptr) {
        return Published{.entry = std::move(before), .summary = nullptr, .duplicate = true};
    }
    if (draft.place && *draft.place <= tail_.wal) return Published{.entry = nullptr, .summary = nullptr, .duplicate = true};
    Result<Published> published;
    if (draft.rows) published = put_rows(std::move(draft), count, now);
    else if (draft.change) published = change(std::move(draft), count, now);
    else if (!draft.message.annotations.empty()) published = annotate(std::move(draft), count, now);
    else published = Published{.entry = push(std::move(draft), count, now), .summary = nullptr};
    if (published && has_id) said_.add(key.hash, published->entry);
    return published;
}

EntryPtr ChannelLog::push(Draft&& draft, std::uint64_t& count, Time now) {
    const Position position = draft.place ? Position{.wal = *draft.place} : Position{.wal = tail_.wal, .epoch = epoch_, .count = ++count};
    PAL_ASSERT(position > tail_);
    stamp(draft.message, position, now, draft.rows);
    const auto timestamp = base::from_ms(draft.message.timestamp);
    const auto bytes = weight(draft.message, draft.rows);
    tail_ = position;
    bytes_ += bytes;
    EntryPtr entry = std::make_shared<const Entry>(position, timestamp, std::move(draft.message), bytes, draft.ephemeral);
    entries_.push_back(entry);
    return entry;
}

// --- changes and annotations ------------------------------------------------------------------------------------------------

/// Whether this message is where its serial was first told of.
bool ChannelLog::brings(const Entry& entry, std::size_t index) const {
    const auto& message = entry.message.messages[index];
    if (const auto row = rows_.find(message.serial); row != rows_.end()) return row->second == Cursor{entry.position, index};
    return is_created(message);
}

std::optional<protocol::Message> ChannelLog::created(const std::string& serial) const {
    const auto row = rows_.find(serial);
    const auto place = row == rows_.end() ? parse_cursor(serial) : std::optional{row->second};
    if (!place) return std::nullopt;
    const auto entry = std::lower_bound(entries_.begin(), entries_.end(), place->position, before);
    if (entry == entries_.end() || (*entry)->position != place->position || (*entry)->ephemeral) return std::nullopt;
    auto messages = messages_of(**entry);
    if (place->index >= messages.size() || !brings(**entry, place->index)) return std::nullopt;
    return std::move(messages[place->index]);
}

std::optional<protocol::Message> ChannelLog::latest(const std::string& serial) const {
    const auto found = revised_.find(serial);
    return found == revised_.end() ? created(serial) : found->second.latest;
}

ChannelLog::Revised& ChannelLog::revised(const std::string& serial, protocol::Message latest) {
    auto& revised = revised_[serial];
    revised.latest = std::move(latest);
    weigh(revised);
    return revised;
}

void ChannelLog::add_change(const std::string& serial, protocol::Message latest, const EntryPtr& change) {
    auto& revised = this->revised(serial, std::move(latest));
    revised.changes.push_back(change);
    weigh(revised);
}

void ChannelLog::weigh(Revised& revised) {
    const auto places = revised.changes.capacity() + revised.annotations.capacity();
    const auto bytes = sizeof(Revised) + index_bytes + heap_bytes(revised.latest) + revised.summary.bytes() + places * sizeof(EntryPtr);
    bytes_ += bytes - revised.bytes;
    revised.bytes = bytes;
}

/// Each message of the entry is what its row is from now on. Of a row that is not held this is the first that is known, however it
/// is said; a row that was deleted and is inserted again is a new message of the same serial.
Result<Published> ChannelLog::put_rows(Draft&& draft, std::uint64_t& count, Time now) {
    PAL_ASSERT(draft.place);
    for (auto& message : draft.message.messages) {
        const auto before = is_created(message) ? std::nullopt : latest(message.serial);
        if (!before) continue;
        message.timestamp = before->timestamp;
        if (message.version) {
            const auto changed = before->version ? before->version->timestamp : before->timestamp;
            message.version->timestamp = std::max(message.version->timestamp, changed + 1);
        }
    }
    const auto entry = push(std::move(draft), count, now);
    auto messages = messages_of(*entry);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const auto serial = messages[i].serial;
        if (is_created(messages[i])) {
            forget(serial);
            rows_[serial] = {entry->position, i};
        } else if (rows_.contains(serial)) {
            add_change(serial, std::move(messages[i]), entry);
        } else if (messages[i].action != protocol::MessageAction::remove) {
            rows_[serial] = {entry->position, i};
        }
    }
    return Published{.entry = entry, .summary = nullptr};
}

/// The entry of an update or delete has the whole message as it is from now on; that of an append, what is appended.
Result<Published> ChannelLog::change(Draft&& draft, std::uint64_t& count, Time now) {
    PAL_ASSERT(draft.message.messages.size() == 1);
    auto operation = draft.message.messages.front();
    const auto current = latest(operation.serial);
    if (!current) return base::fail(base::ErrorCode::not_found, "There is no such message, or it is no longer held");
    auto next = broker::revised(*current, operation, *draft.change);
    if (!next) return std::unexpected(next.error());
    if (!protocol::fits_frame(*next)) {
        return base::fail(base::ErrorCode::message_too_large, "Maximum frame size exceeded: a message must fit a frame of {} bytes",
                          base::limits::frame_bytes_max);
    }
    // Strictly after what it changes, by the clock too: some tell versions apart by their times.
    const auto before = current->version && current->version->timestamp > 0 ? current->version->timestamp : current->timestamp;
    if (!next->version) next->version.emplace();
    next->version->timestamp = std::max(base::to_ms(now), before + 1);
    auto& told = draft.message.messages.front();
    told = *next;
    if (operation.action == protocol::MessageAction::append) {
        told.action = operation.action;
        told.data.swap(operation.data);  // assigned, it would keep the place that the whole took
    }
    const auto entry = push(std::move(draft), count, now);
    next->id = entry->message.messages.front().id;
    next->version->serial = entry->message.messages.front().version->serial;
    add_change(operation.serial, *next, entry);
    return Published{.entry = entry, .summary = nullptr, .latest = std::move(next).value(), .before = current};
}

Result<Published> ChannelLog::annotate(Draft&& draft, std::uint64_t& count, Time now) {
    const auto serial = draft.message.annotations.front().message_serial;
    auto current = latest(serial);
    if (!current) return base::fail(base::ErrorCode::not_found, "There is no such message, or it is no longer held");
    auto& revised = this->revised(serial, *std::move(current));
    if (encoded_bytes_most(revised.latest) + base::limits::annotation_summary_bytes_max > protocol::frame_content_bytes_max) {
        return base::fail(base::ErrorCode::bad_request, "The message is too large for a summary of its annotations");
    }
    if (const auto room = revised.summary.check_room(draft.message.annotations); !room) return std::unexpected(room.error());
    Draft sum;
    sum.message = {.action = protocol::Action::message, .channel = draft.message.channel};
    const auto entry = push(std::move(draft), count, now);
    bool summed_up = false;
    for (const auto& each : entry->message.annotations) summed_up = revised.summary.apply(each) || summed_up;
    revised.annotations.push_back(entry);
    Published published{.entry = entry, .summary = nullptr};
    if (summed_up) {
        revised.latest.annotations.text = revised.summary.to_json();
        // Of the message itself, a summary tells who it is and nothing else (TM5).
        sum.message.messages.push_back({.name = revised.latest.name,
                                        .action = protocol::MessageAction::summary,
                                        .serial = serial,
                                        .version = protocol::MessageVersion{.timestamp = base::to_ms(now)},
                                        .annotations = revised.latest.annotations});
        drop_summary(revised);
        published.summary = revised.summed_up = push(std::move(sum), count, now);
    }
    weigh(revised);
    published.latest = revised.latest;
    return published;
}

/// The latest summary of a message says all that those before it did: none of them is kept.
void ChannelLog::drop_summary(Revised& revised) {
    const auto summary = std::exchange(revised.summed_up, nullptr);
    if (!summary) return;
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), summary->position, before);
    if (found == entries_.end() || *found != summary) return;  // the channel's bound had it go
    bytes_ -= summary->bytes;
    entries_.erase(found);
}

void ChannelLog::adopt(Record record, Time now) {
    const auto serial = record.latest.serial;
    if (latest(serial)) return;  // somebody else was first
    auto& adopted = revised(serial, std::move(record.latest));
    for (const auto& each : record.annotations) adopted.summary.apply(each);
    weigh(adopted);
    adopted_.push_back({now, serial});
}

void ChannelLog::forget(const std::string& serial) {
    const auto found = revised_.find(serial);
    if (found == revised_.end()) return;
    bytes_ -= found->second.bytes;
    revised_.erase(found);
}

std::optional<Record> ChannelLog::look_up(const std::string& serial) const {
    auto first = created(serial);
    if (!first) return std::nullopt;
    Record record{.latest = *first, .versions = {*first}, .annotations = {}};
    const auto found = revised_.find(serial);
    if (found == revised_.end()) return record;
    record.latest = found->second.latest;
    std::size_t bytes = 0, left_out = 0;
    for (const auto& entry : found->second.changes) {
        const auto& change = *std::ranges::find(entry->message.messages, serial, &protocol::Message::serial);
        auto version = broker::revised(record.versions.back(), change, {.any = true, .bytes_max = SIZE_MAX});
        PAL_ASSERT(version);  // it was possible then
        bytes += sizeof(protocol::Message) + heap_bytes(*version);
        record.versions.push_back(*std::move(version));
        // Each append adds a little to the log and a whole message to this.
        while (bytes > base::limits::versions_bytes_max && left_out + 1 < record.versions.size()) {
            auto& oldest = record.versions[left_out++];
            bytes -= std::min(bytes, sizeof(protocol::Message) + heap_bytes(oldest));
            oldest = {};
        }
    }
    record.versions.erase(record.versions.begin(), record.versions.begin() + static_cast<std::ptrdiff_t>(left_out));
    for (const auto& entry : found->second.annotations) {
        auto annotations = annotations_of(*entry);
        std::ranges::move(annotations, std::back_inserter(record.annotations));
    }
    return record;
}

/// The messages that this entry brought, as they are by now; none for what changed others.
std::vector<protocol::Message> ChannelLog::as_they_are(const Entry& entry) const {
    auto messages = messages_of(entry);
    std::size_t index = 0;
    std::erase_if(messages, [&](const auto&) { return !brings(entry, index++); });
    if (revised_.empty()) return messages;
    for (auto& each : messages) {
        if (const auto found = revised_.find(each.serial); found != revised_.end()) each = found->second.latest;
    }
    return messages;
}

/// For a rewind: null when the entry has nothing to tell to who comes later.
EntryPtr ChannelLog::as_it_is(const EntryPtr& entry) const {
    if (entry->message.action != protocol::Action::message || entry->ephemeral) return nullptr;
    const auto& messages = entry->message.messages;
    std::size_t index = 0;
    const bool unchanged = std::ranges::all_of(
        messages, [&](const auto& each) { return brings(*entry, index++) && !revised_.contains(each.serial); });
    if (unchanged) return entry;
    auto now = std::make_shared<Entry>(*entry);
    now->message.messages = as_they_are(*entry);
    return now->message.messages.empty() ? nullptr : now;
}

/// What was appended, as the message that it made; null when a later entry tells of that too.
EntryPtr ChannelLog::whole(const EntryPtr& entry) const {
    if (!is_append(*entry)) return entry;
    const auto& appended = entry->message.messages.front();
    const auto found = revised_.find(appended.serial);
    if (found == revised_.end()) return entry;
    if (version_of(found->second.latest) != version_of(appended)) return nullptr;
    return with_whole(*entry, found->second.latest);
}

// --- what is held -----------------------------------------------------------------------------------------------------------

Replay ChannelLog::replay(const From& from) const {
    Replay replay{.start = tail_, .entries = {}, .tail = tail_, .complete = true};
    auto first = entries_.end();
    if (from.after) {
        // What an earlier process sequenced itself went with it: of its positions only the place in the WAL still means something.
        const auto after = from.after->epoch == epoch_ ? *from.after : Position{.wal = from.after->wal};
        replay.complete = after >= floor_ && after <= tail_ && (after.wal == WalPlace{} || after.wal >= start_);
        if (replay.complete) {
            first = std::upper_bound(entries_.begin(), entries_.end(), after,
                                     [](const Position& position, const EntryPtr& entry) { return position < entry->position; });
        }
    } else if (from.since || from.last_messages) {
        const auto wanted = from.last_messages.value_or(base::limits::rewind_messages_max);
        std::size_t bytes = 0;
        for (std::size_t found = 0; first != entries_.begin();) {
            const auto before = std::prev(first);
            if (from.since && (*before)->timestamp < *from.since) break;
            const auto told = as_it_is(*before);
            if (told && found >= wanted) {
                replay.truncated = !from.last_messages;
                break;
            }
            if (found >= wanted && !from.since) break;
            if (told) bytes += told->bytes;
            if (found > 0 && bytes > base::limits::rewind_bytes_max) {
                replay.truncated = true;
                break;
            }
            if (told) found += told->message.messages.size();
            first = before;
        }
    }
    if (first != entries_.end()) replay.start = first == entries_.begin() ? floor_ : (*std::prev(first))->position;
    for (; first != entries_.end(); ++first) {
        auto entry = !from.after ? as_it_is(*first) : from.whole_appends ? whole(*first) : *first;
        if (!entry || entry->message.action == protocol::Action::presence) continue;  // who is present is told by a SYNC
        replay.entries.push_back(std::move(entry));
    }
    return replay;
}

/// Adds what the entry brought to the page in the query's direction; false when the page is full.
bool ChannelLog::add_to_page(const HistoryQuery& query, const Entry& entry, HistoryPage& page) const {
    const bool backwards = query.direction == Direction::backwards;
    const auto messages = as_they_are(entry);
    const auto presence = presence_of(entry);
    const auto count = std::max(messages.size(), presence.size());
    for (std::size_t step = 0; step < count; ++step) {
        const auto index = backwards ? count - 1 - step : step;
        const Cursor cursor{entry.position, index};
        if (query.after && (backwards ? cursor >= *query.after : cursor <= *query.after)) continue;
        const auto count_so_far = page.messages.size() + page.presence.size();
        const auto bytes = index < messages.size() ? encoded_bytes_most(messages[index]) : encoded_bytes_most(presence[index]);
        if (count_so_far == query.limit || (count_so_far > 0 && page.bytes + bytes > base::limits::page_bytes_max)) return false;
        page.bytes += bytes;
        if (index < messages.size()) page.messages.push_back(messages[index]);
        if (index < presence.size()) page.presence.push_back(presence[index]);
        page.next = cursor;
    }
    return true;
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

void ChannelLog::start_at(const Position& position) {
    PAL_ASSERT(tail_.wal == start_ && position.wal >= start_);
    if (position.wal == start_) return;
    start_ = position.wal;
    tail_ = position;
    if (entries_.empty()) floor_ = tail_;
}

void ChannelLog::interrupt(WalPlace place) {
    while (!entries_.empty()) drop_oldest();
    if (place > tail_.wal) tail_ = {.wal = place};
    start_ = tail_.wal;
    floor_ = tail_;
}

void ChannelLog::trim(Time horizon, std::size_t bytes_max) {
    while (!adopted_.empty() && (adopted_.front().first < horizon || bytes_ > bytes_max)) {
        forget(adopted_.front().second);
        adopted_.pop_front();
    }
    while (!entries_.empty() && (entries_.front()->timestamp < horizon || bytes_ > bytes_max)) drop_oldest();
}

void ChannelLog::drop_oldest() {
    const auto oldest = entries_.front();
    floor_ = oldest->position;
    bytes_ -= oldest->bytes;
    for (std::size_t i = 0; i < oldest->message.messages.size(); ++i) {
        if ((revised_.empty() && rows_.empty()) || !brings(*oldest, i)) continue;
        forget(oldest->message.messages[i].serial);
        rows_.erase(oldest->message.messages[i].serial);
    }
    said_.remove(oldest);
    entries_.pop_front();
}

}  // namespace broker
