#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.hpp"
#include "protocol/message.hpp"

namespace functions {

inline constexpr std::size_t username_characters_max = 100;
inline constexpr std::size_t room_characters_max = 100;
inline constexpr std::size_t content_bytes_max = 32 * 1024;

/// What a chat message asks for. `author` is the verified clientId of who published it.
struct PostMessage {
    std::string message_id, room, username, author, content;
    std::int64_t timestamp_ms = 0;
    friend bool operator==(const PostMessage&, const PostMessage&) = default;
};
struct EditMessage {
    std::string message_id, author, content, edit_id;
    friend bool operator==(const EditMessage&, const EditMessage&) = default;
};
struct DeleteMessage {
    std::string message_id, author;
    friend bool operator==(const DeleteMessage&, const DeleteMessage&) = default;
};
using ChatCommand = std::variant<PostMessage, EditMessage, DeleteMessage>;

/// Reads `chatMsg` {username, content, room?}, `editedMsg` {content, msgIdToEdit} and `deletedMsg` {msgIdToDelete}: a JSON object as
/// the message's data. Nothing for any other name: other traffic may share the channel.
/// Errors: invalid_message_data; identified_client_needed when the publisher has no clientId.
base::Result<std::optional<ChatCommand>> parse_chat_command(const protocol::Message& message);

}  // namespace functions
