#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/message.hpp"

/// Ably's two encodings of the same structs. Decoding never throws and never allocates more than the input can fill;
/// unknown fields are skipped (RSF1), unknown actions are refused. Errors: invalid_body, invalid_message_data.
namespace protocol {

Result<ProtocolMessage> decode(Format format, std::string_view bytes);
std::string encode(Format format, const ProtocolMessage& message);
/// … appended to what is in `out`.
void encode(Format format, const ProtocolMessage& message, std::string& out);

/// A frame that decode() refused, and what its sender can be answered by: its msgSerial, or else its channel. Neither is there when
/// it has none, or is no JSON or MessagePack object at all.
struct Refused {
    std::optional<std::int64_t> msg_serial;
    std::string channel;
    Error error;
    friend bool operator==(const Refused&, const Refused&) = default;
};
Refused refused(Format format, std::string_view bytes, Error error);

/// Several at once: what a comet client sends. A JSON array, each element of which is taken or refused by itself.
using Received = std::variant<ProtocolMessage, Refused>;
Result<std::vector<Received>> decode_frames(std::string_view json);

/// REST bodies. A publish body is one message or an array of them (RSL1a, RSL1c).
Result<std::vector<Message>> decode_messages(Format format, std::string_view bytes);
std::string encode_messages(Format format, const std::vector<Message>& messages);
std::string encode_message(Format format, const Message& message);
Result<std::vector<Annotation>> decode_annotations(Format format, std::string_view bytes);
std::string encode_annotations(Format format, const std::vector<Annotation>& annotations);
Result<std::vector<PresenceMessage>> decode_presence(Format format, std::string_view bytes);
std::string encode_presence(Format format, const std::vector<PresenceMessage>& members);
/// {"error":{code,statusCode,message,href}} (HP4, TI1).
std::string encode_error(Format format, const ErrorInfo& error);

/// A REST body given or built as JSON, when the other side speaks MessagePack.
std::string json_to_msgpack(std::string_view json);
Result<std::string> msgpack_to_json(std::string_view bytes);

}  // namespace protocol
