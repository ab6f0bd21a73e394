#include "functions/chat_command.hpp"

#include <algorithm>

#include "functions/blank.hpp"
#include "protocol/json_reader.hpp"

namespace functions {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

/// The members we know. A missing one is absent, one that is not a text makes the whole malformed.
struct Fields {
    std::optional<std::string> username, content, room, msg_id_to_edit, msg_id_to_delete;
};

Result<Fields> parse_fields(const protocol::Message& message) {
    const auto* data = std::get_if<std::string>(&message.data);
    if (!data || (!message.encoding.empty() && message.encoding != "json"))
        return fail(ErrorCode::invalid_message_data, "data is to be a JSON object");
    Fields fields;
    protocol::JsonReader in{*data};
    const auto text = [&](std::optional<std::string>& field) { return in.text(field.emplace()); };
    const bool read = in.object([&](std::string_view key) {
        if (key == "username") return text(fields.username);
        if (key == "content") return text(fields.content);
        if (key == "room") return text(fields.room);
        if (key == "msgIdToEdit") return text(fields.msg_id_to_edit);
        if (key == "msgIdToDelete") return text(fields.msg_id_to_delete);
        return in.skip();
    });
    if (read && in.at_end()) return fields;
    return fail(ErrorCode::invalid_message_data, "data is to be a JSON object whose known members are texts");
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

constexpr std::size_t message_id_characters_max = 1'024;

/// Present, not empty, within its length, and something Postgres can keep.
Result<std::string> checked(const char* name, const std::optional<std::string>& field, std::size_t characters_max,
                            std::size_t bytes_max) {
    if (!field) return fail(ErrorCode::invalid_message_data, "{} is missing", name);
    if (field->empty()) return fail(ErrorCode::invalid_message_data, "{} is empty", name);
    if (field->size() > bytes_max || characters(*field) > characters_max)
        return fail(ErrorCode::invalid_message_data, "{} is too long", name);
    if (field->contains('\0')) return fail(ErrorCode::invalid_message_data, "{} has a NUL in it", name);
    return *field;
}
Result<std::string> id_of(const char* name, const std::optional<std::string>& field) {
    return checked(name, field, message_id_characters_max, 4 * message_id_characters_max);
}
/// What people read: something in it can be seen.
Result<std::string> visible(const char* name, Result<std::string> text) {
    if (text && is_blank(*text)) return fail(ErrorCode::invalid_message_data, "{} is empty: nothing in it can be seen", name);
    return text;
}
Result<std::string> name_of(const char* name, const std::optional<std::string>& field, std::size_t characters_max) {
    return visible(name, checked(name, field, characters_max, 4 * characters_max));
}
Result<std::string> content_of(const Fields& fields) {
    return visible("content", checked("content", fields.content, content_bytes_max, content_bytes_max));
}

Result<std::optional<ChatCommand>> parse_post(const protocol::Message& message, const Fields& fields) {
    const auto username = name_of("username", fields.username, username_characters_max);
    if (!username) return std::unexpected(username.error());
    const auto content = content_of(fields);
    if (!content) return std::unexpected(content.error());
    const auto room = name_of("room", fields.room.value_or("main"), room_characters_max);
    if (!room) return std::unexpected(room.error());
    return PostMessage{.message_id = message.id,
                       .room = *room,
                       .username = *username,
                       .author = message.client_id,
                       .content = *content,
                       .timestamp_ms = message.timestamp};
}

Result<std::optional<ChatCommand>> parse_edit(const protocol::Message& message, const Fields& fields) {
    const auto id = id_of("msgIdToEdit", fields.msg_id_to_edit);
    if (!id) return std::unexpected(id.error());
    const auto content = content_of(fields);
    if (!content) return std::unexpected(content.error());
    return EditMessage{.message_id = *id, .author = message.client_id, .content = *content, .edit_id = message.id};
}

Result<std::optional<ChatCommand>> parse_delete(const protocol::Message& message, const Fields& fields) {
    const auto id = id_of("msgIdToDelete", fields.msg_id_to_delete);
    if (!id) return std::unexpected(id.error());
    return DeleteMessage{.message_id = *id, .author = message.client_id};
}

}  // namespace

Result<std::optional<ChatCommand>> parse_chat_command(const protocol::Message& message) {
    const bool post = message.name == "chatMsg", edit = message.name == "editedMsg", remove = message.name == "deletedMsg";
    if (!post && !edit && !remove) return std::nullopt;
    if (message.client_id.empty())
        return fail(ErrorCode::identified_client_needed, "a chat message needs a clientId: who wrote it may change it");
    const auto fields = parse_fields(message);
    if (!fields) return std::unexpected(fields.error());
    return post ? parse_post(message, *fields) : edit ? parse_edit(message, *fields) : parse_delete(message, *fields);
}

}  // namespace functions
