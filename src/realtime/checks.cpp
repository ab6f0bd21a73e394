#include "realtime/checks.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "protocol/frame_size.hpp"

namespace realtime {

using base::ErrorCode;
using base::fail;

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_number(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

/// Of an id like those we give what is published over a connection, the connection's; nothing of any other id.
std::string_view connection_of(std::string_view id) {
    const auto connection = id.substr(0, id.find(':'));
    const auto rest = id.substr(std::min(connection.size() + 1, id.size()));
    const auto colon = rest.find(':');
    const bool like_ours = connection.size() == connection_id_length && std::ranges::all_of(connection, is_word) &&
                           colon != rest.npos && is_number(rest.substr(0, colon)) && is_number(rest.substr(colon + 1));
    return like_ours ? connection : std::string_view{};
}

/// "filter=" and the expression in base64: what SDKs make of channels.getDerived().
constexpr std::string_view filter_qualifier = "filter=";
bool is_filtered(const protocol::ChannelName& channel) { return channel.qualifier.starts_with(filter_qualifier); }

}  // namespace

base::Result<protocol::ChannelName> channel_of(std::string_view name) {
    auto channel = protocol::parse_channel_name(name);
    if (!channel || channel->qualifier.empty() || is_filtered(*channel)) return channel;
    channel->base = fmt::format("[{}]{}", channel->qualifier, channel->base);
    return channel;
}

base::Result<void> check_served(const protocol::ChannelName& channel) {
    if (channel.qualifier.empty()) return {};
    if (is_filtered(channel)) return fail(ErrorCode::invalid_channel_name, "Through a filter one can only subscribe to a channel");
    return fail(ErrorCode::invalid_channel_name, "The channel qualifier [{}] is not supported", channel.qualifier);
}

base::Result<FilterPtr> filter_of(const protocol::ChannelName& channel) {
    if (!is_filtered(channel)) {
        const auto served = check_served(channel);
        return served ? base::Result<FilterPtr>{} : std::unexpected(served.error());
    }
    const auto expression = base::base64_decode(std::string_view{channel.qualifier}.substr(filter_qualifier.size()));
    if (!expression) return fail(ErrorCode::invalid_channel_name, "The channel's filter is not base64");
    auto filter = protocol::Filter::parse(*expression);
    if (!filter) return std::unexpected(filter.error());
    return std::make_shared<const protocol::Filter>(*std::move(filter));
}

base::Result<void> check_ids(const std::vector<protocol::Message>& messages, std::string_view connection_id) {
    const auto first = messages.empty() ? std::string_view{} : std::string_view{messages.front().id};
    const auto base = first.substr(0, first.rfind(':'));
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const auto& id = messages[i].id;
        if (id.empty() != first.empty()) return fail(ErrorCode::invalid_publish, "Either all messages have an id or none");
        if (id.empty()) continue;
        if (messages.size() > 1 && id != fmt::format("{}:{}", base, i)) {
            return fail(ErrorCode::invalid_publish, "The ids of messages that are published together are base:0, base:1 and so on");
        }
        if (const auto owner = connection_of(id); !owner.empty() && owner != connection_id) {
            return fail(ErrorCode::invalid_publish, "The id is one that another connection's messages are given");
        }
    }
    return {};
}

base::Result<void> check_force_nack(std::string_view value) {
    if (value != "true") return {};
    return fail(ErrorCode::artificial_error, "The publish is refused, as its param {} asks for", force_nack_param);
}

bool is_name(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

base::Result<void> check_same_client(const auth::Identity& shown, const auth::Identity& owner) {
    if (shown.app_id() != owner.app_id()) return fail(ErrorCode::incompatible_credentials, "The connection is another app's");
    if (shown.key_name != owner.key_name) {
        return fail(ErrorCode::incompatible_credentials, "The connection was opened with another API key, or a token of another one");
    }
    if (shown.client_id == owner.client_id) return {};
    return fail(ErrorCode::incompatible_credentials, "The connection is another client's");
}

base::Result<void> check_drives(const auth::Identity& shown, const auth::Identity& owner) {
    if (owner.client_id.empty() || !shown.may_be(owner.client_id)) return check_same_client(shown, owner);
    auto named = shown;
    named.client_id = owner.client_id;
    return check_same_client(named, owner);
}

base::Result<void> check_id(std::string_view id) {
    if (is_name(id) && id.size() <= base::limits::message_id_bytes_max) return {};
    return fail(ErrorCode::bad_request, "An id is a text without control characters, of {} bytes at most",
                base::limits::message_id_bytes_max);
}

base::Result<void> check_frame(const protocol::ProtocolMessage& message) {
    if (protocol::fits_frame(message)) return {};
    return fail(ErrorCode::message_too_large, "Maximum frame size exceeded: what is published together must fit a frame of {} bytes",
                base::limits::frame_bytes_max);
}

base::Result<void> check_size(std::size_t bytes, const auth::AppLimits& limits) {
    if (bytes <= limits.message_bytes) return {};
    return fail(ErrorCode::message_too_large, "Maximum message length exceeded: {} bytes, {} at most", bytes, limits.message_bytes);
}

}  // namespace realtime
