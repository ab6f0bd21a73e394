#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/boxed.hpp"
#include "protocol/error_codes.hpp"

/// Ably protocol messages as plain structs, the same for JSON and MessagePack. An empty string is an absent field, unless
/// the type is optional. Source: ably/specification, features.md, §"Types" (TM, TP, TR, CD).
namespace protocol {

enum class Format : std::uint8_t { json, msgpack };

/// TR2.
enum class Action : std::uint8_t {
    heartbeat = 0, ack = 1, nack = 2, connect = 3, connected = 4, disconnect = 5, disconnected = 6, close = 7, closed = 8,
    error = 9, attach = 10, attached = 11, detach = 12, detached = 13, presence = 14, message = 15, sync = 16, auth = 17,
    activate = 18, object = 19, object_sync = 20, annotation = 21,
};

/// TR3. Bits 16 and up are the modes of an attachment.
namespace flag {
inline constexpr std::int64_t has_presence = 1, has_backlog = 2, resumed = 4, attach_resume = 32;
inline constexpr std::int64_t presence = 1 << 16, publish = 1 << 17, subscribe = 1 << 18, presence_subscribe = 1 << 19,
                              annotation_publish = 1 << 21, annotation_subscribe = 1 << 22, object_subscribe = 1 << 24,
                              object_publish = 1 << 25;
/// TR3: what an ATTACH without mode flags asks for.
inline constexpr std::int64_t default_modes = presence | publish | subscribe | presence_subscribe | annotation_publish;
inline constexpr std::int64_t served_modes = default_modes | annotation_subscribe;  // what of them is here to be granted
inline constexpr std::int64_t all_modes = default_modes | annotation_subscribe | object_subscribe | object_publish;
}  // namespace flag

/// Bytes of a payload that is not text: `bin` in MessagePack, base64 with an "…/base64" encoding in JSON.
struct Binary {
    std::string bytes;
    friend bool operator==(const Binary&, const Binary&) = default;
};
/// TM2d, TP3e. An object or array given bare in JSON is kept as its text, with "json" appended to the encoding (RSL4d3).
using Data = std::variant<std::monostate, std::string, Binary>;

/// A JSON value kept as its text: valid JSON, never parsed on the way through unless a MessagePack frame needs it.
struct JsonText {
    std::string text;  // empty: absent
    friend bool operator==(const JsonText&, const JsonText&) = default;
};

/// TM5.
enum class MessageAction : std::uint8_t { create = 0, update = 1, remove = 2, meta = 3, summary = 4, append = 5 };

/// TM2s.
struct MessageVersion {
    std::string serial;
    std::int64_t timestamp = 0;
    std::string client_id;
    std::string description;
    JsonText metadata;
    friend bool operator==(const MessageVersion&, const MessageVersion&) = default;
};

/// TM2. `timestamp` 0 is absent.
struct Message {
    std::string id, client_id, connection_id, connection_key, name, encoding;
    Data data;
    JsonText extras;
    std::int64_t timestamp = 0;
    std::optional<MessageAction> action;
    std::string serial;
    base::Boxed<MessageVersion> version;
    JsonText annotations;  // TM2u: {"summary":{type: …}}
    friend bool operator==(const Message&, const Message&) = default;
};

/// TP2.
enum class PresenceAction : std::uint8_t { absent = 0, present = 1, enter = 2, leave = 3, update = 4 };

/// TP3.
struct PresenceMessage {
    std::string id, client_id, connection_id, encoding;
    Data data;
    JsonText extras;
    std::int64_t timestamp = 0;
    PresenceAction action = PresenceAction::absent;
    friend bool operator==(const PresenceMessage&, const PresenceMessage&) = default;
};

/// TAN2b.
enum class AnnotationAction : std::uint8_t { create = 0, remove = 1 };

/// TAN2. `count` is of types that count (multiple.v1).
struct Annotation {
    std::string id, client_id, connection_id, name, encoding;
    Data data;
    JsonText extras;
    std::int64_t timestamp = 0;
    AnnotationAction action = AnnotationAction::create;
    std::string serial, message_serial, type;
    std::optional<std::int64_t> count;
    friend bool operator==(const Annotation&, const Annotation&) = default;
};

/// TI1. On the wire also `statusCode`, from the table, and `href`, from the code.
using ErrorInfo = base::Error;

/// CD2.
struct ConnectionDetails {
    std::string client_id, connection_key, server_id;
    std::int64_t max_message_size = 0, max_frame_size = 0, max_inbound_rate = 0;
    std::int64_t connection_state_ttl_ms = 0, max_idle_interval_ms = 0;
    friend bool operator==(const ConnectionDetails&, const ConnectionDetails&) = default;
};

/// One entry a message of an ACK (protocol v5 and later): the serials its messages were given.
struct PublishResult {
    std::vector<std::string> serials;
    friend bool operator==(const PublishResult&, const PublishResult&) = default;
};

/// TR4. `flags` 0, `timestamp` 0 and `count` 0 are absent.
struct ProtocolMessage {
    Action action = Action::heartbeat;
    std::int64_t flags = 0;
    std::int64_t count = 0;
    std::optional<std::int64_t> msg_serial;
    std::int64_t timestamp = 0;
    std::string id, channel;
    bool of_channel = false;  // it is about a channel even if that has no name: an ERROR without one is about the connection
    std::string channel_serial, connection_id;
    std::string access_token;  // auth.accessToken of an AUTH (TR4o)
    base::Boxed<ErrorInfo> error;
    base::Boxed<ConnectionDetails> connection_details;
    std::map<std::string, std::string> params;
    std::vector<Message> messages;
    std::vector<PresenceMessage> presence;
    std::vector<Annotation> annotations;
    std::vector<PublishResult> res;
    friend bool operator==(const ProtocolMessage&, const ProtocolMessage&) = default;
};

/// The size that maxMessageSize bounds (TM6, TP5), in bytes: name, clientId, data, extras as JSON, a version's description and
/// metadata, and all other text that a client may send. An id within message_id_bytes_max counts for nothing, nor does an encoding
/// that SDKs know, since SDKs do not count them.
std::size_t size_of(const Message& message);
std::size_t size_of(const MessageVersion& version);
std::size_t size_of(const PresenceMessage& message);
std::size_t size_of(const Annotation& annotation);

/// What these take on the heap besides themselves, by their capacities and as jemalloc rounds up.
std::size_t heap_bytes(const Message& message);
std::size_t heap_bytes(const PresenceMessage& message);
std::size_t heap_bytes(const Annotation& annotation);
std::size_t heap_bytes(const ProtocolMessage& message);

}  // namespace protocol
