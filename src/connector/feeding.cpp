#include "connector/feeding.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "connector/payload.hpp"
#include "connector/row_serial.hpp"
#include "protocol/frame_size.hpp"
#include "protocol/json_plain.hpp"
#include "protocol/json_writer.hpp"

namespace connector {

using namespace postgres::pgoutput;
using base::ErrorCode;
using base::fail;
using base::Result;
using protocol::Message;
using protocol::MessageAction;
using Kind = postgres::pgoutput::Column::Kind;

namespace {

constexpr MessageAction action_of(const Insert&) { return MessageAction::create; }
constexpr MessageAction action_of(const Update&) { return MessageAction::update; }
constexpr MessageAction action_of(const Delete&) { return MessageAction::remove; }

std::string values_of(const connector::Relation& relation, const Insert& change, std::vector<std::string>& unchanged) {
    return row_json(relation, change.row, false, unchanged);
}
std::string values_of(const connector::Relation& relation, const Update& change, std::vector<std::string>& unchanged) {
    return row_json(relation, change.row, false, unchanged);
}
std::string values_of(const connector::Relation& relation, const Delete& change, std::vector<std::string>& unchanged) {
    return row_json(relation, change.old, change.old_is_key, unchanged);
}

Result<std::vector<std::size_t>> indexes_of(const std::vector<std::string>& names, const connector::Relation& relation) {
    std::vector<std::size_t> indexes;
    for (const auto& name : names) {
        const auto found = std::ranges::find(relation.columns, name, &connector::Relation::Column::name);
        if (found == relation.columns.end()) {
            return fail(ErrorCode::internal_error, "{}.{} has no column {} in the stream", relation.schema, relation.name, name);
        }
        indexes.push_back(static_cast<std::size_t>(found - relation.columns.begin()));
    }
    return indexes;
}

bool is_integer(std::uint32_t type) { return type == 20 || type == 21 || type == 23; }  // int8, int2, int4 in pg_type.dat

/// The texts that an UPDATE did not touch, from the row before where it is whole.
Update filled(Update change) {
    if (!change.old || change.old_is_key) return change;
    for (std::size_t i = 0; i < change.row.size(); ++i) {
        if (change.row[i].kind == Kind::unchanged_toast) change.row[i] = (*change.old)[i];
    }
    return change;
}

}  // namespace

std::size_t Told::bytes() const {
    std::size_t sum = 0;
    for (const auto& message : messages) sum += size_of(message);
    return sum;
}

broker::Draft draft_of(Told told, const Committed& committed) {
    broker::Draft draft{.place = committed.place, .rows = told.rows};
    draft.message = {.action = protocol::Action::message, .timestamp = committed.time_ms(), .channel = std::move(told.channel)};
    draft.message.messages = std::move(told.messages);
    return draft;
}

Result<Feeding> Feeding::make(const Feed& feed, std::string name, const connector::Relation& relation,
                              const std::vector<std::string>& key) {
    Feeding made;
    made.feed_ = feed;
    made.name_ = std::move(name);
    made.whole_ = relation;
    auto channel = ChannelTemplate::parse(feed.channel);
    if (!channel) return std::unexpected(channel.error());
    made.channel_ = *std::move(channel);
    auto channel_columns = indexes_of(made.channel_.columns(), relation);
    if (!channel_columns) return std::unexpected(channel_columns.error());
    made.channel_columns_ = *std::move(channel_columns);
    if (feed.payload == Payload::message) {
        auto key_columns = indexes_of(key, relation);
        if (!key_columns) return std::unexpected(key_columns.error());
        made.key_columns_ = *std::move(key_columns);
    }
    made.relation_ = {.schema = relation.schema, .name = relation.name, .columns = {}, .types = relation.types};
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        if (!feed.columns.empty() && std::ranges::find(feed.columns, relation.columns[i].name) == feed.columns.end()) continue;
        made.columns_.push_back(i);
        made.relation_.columns.push_back(relation.columns[i]);
    }
    return made;
}

bool Feeding::fits(const Tuple& row) const {
    return row.size() == whole_.columns.size() && std::ranges::none_of(row, [](const auto& each) { return each.kind == Kind::binary; });
}

postgres::pgoutput::Tuple Feeding::fed(const Tuple& row) const {
    if (columns_.size() == row.size()) return row;
    Tuple some;
    for (const auto index : columns_) some.push_back(row[index]);
    return some;
}

/// What was not sent of `row` is as in `otherwise`: long texts that were not touched and, of an old row that is only the key, all else.
Result<Feeding::Address> Feeding::address_of(const Tuple& row, const Tuple* otherwise, bool key_only) const {
    const auto value = [&](std::size_t index) -> std::optional<std::string_view> {
        if (row[index].kind == Kind::text) return row[index].value;
        const bool was_sent = row[index].kind != Kind::unchanged_toast && !(key_only && !whole_.columns[index].is_key);
        const bool elsewhere = !was_sent && otherwise && (*otherwise)[index].kind == Kind::text;
        return elsewhere ? std::optional{(*otherwise)[index].value} : std::nullopt;
    };
    Values names;
    for (const auto index : channel_columns_) names.push_back(value(index));
    auto channel = channel_.fill(names);
    if (!channel) return std::unexpected(channel.error());
    Address address{.channel = *std::move(channel), .serial = {}};
    if (feed_.payload != Payload::message) return address;
    std::vector<KeyPart> key;
    for (const auto index : key_columns_) key.push_back({value(index).value_or(""), is_integer(whole_.columns[index].type)});
    address.serial = row_serial(whole_.schema, whole_.name, key);
    return address;
}

template <class Change>
Result<Message> Feeding::message_of(const Change& change, const std::string& serial, const Committed& committed) const {
    Message message{.id = to_id(committed.place), .name = name_, .timestamp = committed.time_ms()};
    const auto cut = [&](std::string json) {
        const auto bytes = json.size();
        // As a text in a frame its quotes and backslashes are escaped once more.
        const auto in_frame = protocol::escaped_bytes(json);
        if (bytes <= base::limits::change_bytes_max && in_frame <= protocol::frame_content_bytes_max) return json;
        base::log::error("at=change_too_large id={} table={}.{} bytes={} note=\"told as an error with its key\"", message.id, whole_.schema,
                         whole_.name, bytes);
        return too_large(relation_, change, bytes);
    };
    if (feed_.payload == Payload::row) {
        auto json = to_json(relation_, change);
        if (!json) return std::unexpected(json.error());
        message.data = cut(*std::move(json));
        return message;
    }
    message.encoding = "json";
    if (feed_.payload == Payload::change) {
        message.data = cut(change_json(relation_, change, committed));
        return message;
    }
    std::vector<std::string> unchanged;
    message.data = cut(values_of(relation_, change, unchanged));
    message.action = action_of(change);
    message.serial = serial;
    message.version.emplace().timestamp = committed.time_ms();
    if (unchanged.empty()) return message;
    std::string& extras = message.extras.text = R"({"headers":{"unchanged":)";
    std::string names;
    for (const auto& name : unchanged) names += (names.empty() ? "" : ",") + name;
    protocol::JsonWriter{extras}.text(names);
    extras += "}}";
    return message;
}

std::optional<Told> Feeding::truncated(const Committed& committed) const {
    if (!feed_.deletes || feed_.payload == Payload::message || !channel_.is_fixed()) return std::nullopt;
    Message message{.id = to_id(committed.place), .name = name_, .data = connector::truncated(relation_), .timestamp = committed.time_ms()};
    if (feed_.payload == Payload::change) message.encoding = "json";
    return Told{channel_.prefix(), {std::move(message)}, false};
}

Result<std::vector<Told>> Feeding::tell(const Insert& change, const Committed& committed) const {
    if (!feed_.inserts) return {};
    if (!fits(change.row)) return fail(ErrorCode::internal_error, "a row of {} does not fit its description", whole_.name);
    auto address = address_of(change.row, nullptr);
    if (!address) return std::unexpected(address.error());
    auto message = message_of(Insert{change.relation, fed(change.row)}, address->serial, committed);
    if (!message) return std::unexpected(message.error());
    std::vector<Told> told;
    told.push_back({std::move(address->channel), {*std::move(message)}, feed_.payload == Payload::message});
    return told;
}

Result<std::vector<Told>> Feeding::tell(const Delete& change, const Committed& committed) const {
    if (!feed_.deletes) return {};
    if (!fits(change.old)) return fail(ErrorCode::internal_error, "a row of {} does not fit its description", whole_.name);
    auto address = address_of(change.old, nullptr);
    if (!address) return std::unexpected(address.error());
    auto message = message_of(Delete{change.relation, fed(change.old), change.old_is_key}, address->serial, committed);
    if (!message) return std::unexpected(message.error());
    std::vector<Told> told;
    told.push_back({std::move(address->channel), {*std::move(message)}, feed_.payload == Payload::message});
    return told;
}

Result<std::vector<Told>> Feeding::tell(const Update& update, const Committed& committed) const {
    if (!feed_.updates) return {};
    if (!fits(update.row) || (update.old && !fits(*update.old))) {
        return fail(ErrorCode::internal_error, "a row of {} does not fit its description", whole_.name);
    }
    const auto change = filled(update);
    const bool rows = feed_.payload == Payload::message;
    const auto* old = change.old ? &*change.old : nullptr;
    // A column that the old row does not have is not of the replica identity: nothing that an address is made of (check_tables).
    auto is = address_of(change.row, old), was = old ? address_of(*old, &change.row, change.old_is_key) : is;
    std::vector<Told> told;
    if (is && was && *is == *was) {
        Update part{change.relation, std::nullopt, change.old_is_key, fed(change.row)};
        if (old) part.old = fed(*old);
        auto message = message_of(part, is->serial, committed);
        if (!message) return std::unexpected(message.error());
        told.push_back({std::move(is->channel), {*std::move(message)}, rows});
        return told;
    }
    if (was) {
        auto message = message_of(Delete{change.relation, fed(*old), change.old_is_key}, was->serial, committed);
        if (!message) return std::unexpected(message.error());
        told.push_back({std::move(was->channel), {*std::move(message)}, rows});
    }
    if (is) {
        auto message = message_of(Insert{change.relation, fed(change.row)}, is->serial, committed);
        if (!message) return std::unexpected(message.error());
        if (told.empty() || told.front().channel != is->channel) told.push_back({std::move(is->channel), {}, rows});
        auto& messages = told.back().messages;
        messages.push_back(*std::move(message));
        for (std::size_t i = 0; messages.size() > 1 && i < messages.size(); ++i) {
            messages[i].id = fmt::format("{}:{}", to_id(committed.place), i);
        }
    }
    if (told.empty()) return std::unexpected(is.error());
    return told;
}

}  // namespace connector
