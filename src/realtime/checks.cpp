#include "realtime/checks.hpp"

#include <algorithm>

namespace realtime {

using base::ErrorCode;
using base::fail;

base::Result<protocol::ChannelName> channel_of(std::string_view name) {
    auto channel = protocol::parse_channel_name(name);
    if (channel && !channel->qualifier.empty()) channel->base = fmt::format("[{}]{}", channel->qualifier, channel->base);
    return channel;
}

base::Result<void> check_served(const protocol::ChannelName& channel) {
    if (channel.qualifier.empty()) return {};
    return fail(ErrorCode::invalid_channel_name, "The channel qualifier [{}] is not supported", channel.qualifier);
}

base::Result<void> stamp_message(const auth::Identity& identity, protocol::Message& message) {
    if (message.client_id.empty()) message.client_id = identity.client_id == "*" ? "" : identity.client_id;
    if (!identity.may_be(message.client_id)) return fail(ErrorCode::invalid_client_id, "This client may not publish as another");
    if (message.client_id == "*" || message.client_id.size() > base::limits::client_id_bytes_max) {
        return fail(ErrorCode::invalid_client_id, "A message's clientId is a name, of {} bytes at most", base::limits::client_id_bytes_max);
    }
    if (message.action.value_or(protocol::MessageAction::create) != protocol::MessageAction::create) {
        return fail(ErrorCode::bad_request, "Updating, deleting and appending to messages is not enabled on this channel");
    }
    if (!is_name(message.client_id)) return fail(ErrorCode::invalid_client_id, "The clientId has a control character in it");
    if (!is_name(message.id) || message.id.size() > base::limits::message_id_bytes_max) {
        return fail(ErrorCode::bad_request, "A message's id is a text without control characters, of {} bytes at most",
                    base::limits::message_id_bytes_max);
    }
    message.connection_id.clear();  // the envelope says it (TM2c)
    message.connection_key.clear();
    message.serial.clear();
    message.version.reset();
    message.timestamp = 0;
    return {};
}

bool is_name(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

base::Result<void> check_size(std::size_t bytes, const auth::AppLimits& limits) {
    if (bytes <= limits.message_bytes) return {};
    return fail(ErrorCode::message_too_large, "Maximum message length exceeded: {} bytes, {} at most", bytes, limits.message_bytes);
}

}  // namespace realtime
