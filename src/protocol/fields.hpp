#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include "protocol/message.hpp"

/// Every struct of message.hpp, field by field, with the names Ably gives them on the wire: the one table that both directions
/// of both formats follow. `visit(message, v)` calls v(name, field) in the order in which fields are written.
namespace protocol {

/// A text that is the one member of an object of its own: {"auth":{"accessToken":…}}.
template <class Text>
struct Wrapped {
    std::string_view name;
    Text& text;
};

/// A text that is written even when it is empty.
struct EvenEmpty {
    const std::string& text;
};

/// A list that may be written as its only element (RSL1a, BSP2).
template <class T>
struct OneOrMore {
    std::vector<T>& all;
};

template <class T, class Struct>
concept A = std::same_as<std::remove_const_t<T>, Struct>;

template <class V>
void visit(A<MessageVersion> auto& version, V&& v) {
    v("serial", version.serial);
    v("timestamp", version.timestamp);
    v("clientId", version.client_id);
    v("description", version.description);
    v("metadata", version.metadata);
}

template <class V>
void visit(A<Message> auto& message, V&& v) {
    v("id", message.id);
    v("clientId", message.client_id);
    v("connectionId", message.connection_id);
    v("connectionKey", message.connection_key);
    v("name", message.name);
    v("encoding", message.encoding);
    v("data", message.data);
    v("extras", message.extras);
    v("timestamp", message.timestamp);
    v("action", message.action);
    v("serial", message.serial);
    v("version", message.version);
    v("annotations", message.annotations);
}

template <class V>
void visit(A<PresenceMessage> auto& member, V&& v) {
    v("id", member.id);
    v("clientId", member.client_id);
    v("connectionId", member.connection_id);
    v("encoding", member.encoding);
    v("data", member.data);
    v("extras", member.extras);
    v("timestamp", member.timestamp);
    v("action", member.action);
}

template <class V>
void visit(A<Annotation> auto& annotation, V&& v) {
    v("id", annotation.id);
    v("clientId", annotation.client_id);
    v("connectionId", annotation.connection_id);
    v("name", annotation.name);
    v("encoding", annotation.encoding);
    v("data", annotation.data);
    v("extras", annotation.extras);
    v("timestamp", annotation.timestamp);
    v("action", annotation.action);
    v("serial", annotation.serial);
    v("messageSerial", annotation.message_serial);
    v("type", annotation.type);
    v("count", annotation.count);
}

/// `statusCode` and `href` follow from the code, so they are only ever written.
template <A<ErrorInfo> Info, class V>
void visit(Info& error, V&& v) {
    v("code", error.code);
    if constexpr (std::is_const_v<Info>) v("statusCode", std::int64_t{http_status(error)});
    v("message", error.message);
    if constexpr (std::is_const_v<Info>) v("href", fmt::format("https://help.ably.io/error/{}", static_cast<int>(error.code)));
}

template <class V>
void visit(A<ConnectionDetails> auto& details, V&& v) {
    v("clientId", details.client_id);
    v("connectionKey", details.connection_key);
    v("serverId", details.server_id);
    v("maxMessageSize", details.max_message_size);
    v("maxFrameSize", details.max_frame_size);
    v("maxInboundRate", details.max_inbound_rate);
    v("connectionStateTtl", details.connection_state_ttl_ms);
    v("maxIdleInterval", details.max_idle_interval_ms);
}

template <class V>
void visit(A<PublishResult> auto& result, V&& v) {
    v("serials", result.serials);
}

template <class V>
void visit(A<ProtocolMessage> auto& message, V&& v) {
    v("action", message.action);
    v("flags", message.flags);
    v("count", message.count);
    v("msgSerial", message.msg_serial);
    v("timestamp", message.timestamp);
    v("id", message.id);
    if constexpr (std::is_const_v<std::remove_reference_t<decltype(message)>>) {
        if (message.of_channel) v("channel", EvenEmpty{message.channel});
        else v("channel", message.channel);
    } else {
        v("channel", message.channel);
    }
    v("channelSerial", message.channel_serial);
    v("connectionId", message.connection_id);
    v("auth", Wrapped{"accessToken", message.access_token});
    v("error", message.error);
    v("connectionDetails", message.connection_details);
    v("params", message.params);
    v("messages", message.messages);
    v("presence", message.presence);
    v("annotations", message.annotations);
    v("res", message.res);
}

/// A struct that is in the table.
template <class T>
concept Visitable = requires(T& value) { visit(value, [](std::string_view, auto&&) {}); };

// The highest number of each enumeration; they have no gaps.
constexpr Action last_of(Action) { return Action::annotation; }
constexpr MessageAction last_of(MessageAction) { return MessageAction::append; }
constexpr PresenceAction last_of(PresenceAction) { return PresenceAction::update; }
constexpr AnnotationAction last_of(AnnotationAction) { return AnnotationAction::remove; }

}  // namespace protocol
