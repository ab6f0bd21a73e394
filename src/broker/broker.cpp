#include "broker/broker.hpp"

#include <array>
#include <charconv>

namespace broker {

std::vector<protocol::Message> messages_of(const Entry& entry) {
    auto messages = entry.message.messages;
    for (auto& message : messages) {
        if (message.connection_id.empty()) message.connection_id = entry.message.connection_id;
        if (message.timestamp == 0) message.timestamp = entry.message.timestamp;
        if (!message.action) message.action = protocol::MessageAction::create;
    }
    return messages;
}

std::vector<protocol::PresenceMessage> presence_of(const Entry& entry) {
    auto members = entry.message.presence;
    for (auto& member : members) {
        if (member.connection_id.empty()) member.connection_id = entry.message.connection_id;
        if (member.timestamp == 0) member.timestamp = entry.message.timestamp;
    }
    return members;
}

std::vector<protocol::Annotation> annotations_of(const Entry& entry) {
    auto annotations = entry.message.annotations;
    for (auto& each : annotations) {
        if (each.connection_id.empty()) each.connection_id = entry.message.connection_id;
        if (each.timestamp == 0) each.timestamp = entry.message.timestamp;
    }
    return annotations;
}

Said said_of(const protocol::ProtocolMessage& message) {
    if (!message.annotations.empty()) return {message.annotations.front().client_id, message.annotations.front().id};
    if (message.messages.empty()) return {};
    const auto& first = message.messages.front();
    return {is_change(first) && first.version ? first.version->client_id : first.client_id, first.id};
}

std::string numbered(std::string_view id, std::size_t index) {
    std::array<char, 20> digits;
    const std::string_view number{digits.begin(), std::to_chars(digits.begin(), digits.end(), index).ptr};
    std::string text;
    text.reserve(id.size() + 1 + number.size());
    return text.append(id).append(1, ':').append(number);
}

std::string to_serial(const Cursor& cursor) { return to_serial(to_serial(cursor.position), cursor.index); }

std::string to_serial(std::string_view channel_serial, std::size_t index) {
    std::string text;
    text.reserve(channel_serial.size() + 4);
    text += channel_serial;
    text += index < 10 ? ":00" : index < 100 ? ":0" : ":";
    return text += std::to_string(index);
}

std::optional<Cursor> parse_cursor(std::string_view serial) {
    const auto colon = serial.rfind(':');
    if (colon == serial.npos) return std::nullopt;
    const auto position = parse_serial(serial.substr(0, colon));
    const auto digits = serial.substr(colon + 1);
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (!position || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return Cursor{*position, index};
}

bool is_append(const Entry& entry) {
    const auto& messages = entry.message.messages;
    return messages.size() == 1 && messages.front().action == protocol::MessageAction::append;
}

EntryPtr with_whole(const Entry& entry, const protocol::Message& message) {
    auto whole = std::make_shared<Entry>(entry);
    whole->message.messages = {message};
    return whole;
}

}  // namespace broker
