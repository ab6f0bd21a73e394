#pragma once

#include "base/assert.hpp"
#include "protocol/batch.hpp"
#include "protocol/codec.hpp"
#include "protocol/frame.hpp"

/// What holds for every frame and body that either format's decoder accepts.
namespace fuzz {

using namespace protocol;

/// As a frame is after it went through MessagePack: extras are JSON there and back, without white space and in plain numbers.
inline ProtocolMessage through_msgpack(const ProtocolMessage& message) {
    const auto packed = decode(Format::msgpack, encode(Format::msgpack, message));
    PAL_ASSERT(packed);
    return *packed;
}

inline void check_frame(Format format, std::string_view input) {
    const auto message = decode(format, input);
    if (!message) {
        PAL_ASSERT(message.error().code == ErrorCode::invalid_body || message.error().code == ErrorCode::invalid_message_data ||
                   message.error().code == ErrorCode::bad_request);
        PAL_ASSERT(!message.error().message.empty());
        const auto refused = protocol::refused(format, input, message.error());  // whatever it is answered by can be sent
        const ProtocolMessage answer{.action = Action::error, .channel = refused.channel, .error = refused.error};
        for (const auto each : {Format::json, Format::msgpack}) PAL_ASSERT(decode(each, encode(each, answer)) == answer);
        return;
    }
    PAL_ASSERT(decode(Format::json, encode(Format::json, *message)) == *message);
    const auto packed = through_msgpack(*message);
    PAL_ASSERT(decode(Format::json, encode(Format::json, packed)) == packed);
    const auto again = through_msgpack(packed);
    PAL_ASSERT(through_msgpack(again) == again);
    PAL_ASSERT(packed.messages.size() == message->messages.size());
    for (std::size_t i = 0; i < packed.messages.size(); ++i) {
        auto without_extras = message->messages[i];
        without_extras.extras = packed.messages[i].extras;
        if (without_extras.version) without_extras.version->metadata = packed.messages[i].version->metadata;
        PAL_ASSERT(packed.messages[i] == without_extras);
    }
    for (const auto each : {Format::json, Format::msgpack}) PAL_ASSERT(make_frame(each, *message)->payload() == encode(each, *message));
}

/// A body may be read in each of these ways.
inline void check_body(Format format, std::string_view input) {
    if (const auto messages = decode_messages(format, input)) {
        PAL_ASSERT(decode_messages(Format::json, encode_messages(Format::json, *messages)) == *messages);
        const auto packed = decode_messages(Format::msgpack, encode_messages(Format::msgpack, *messages));
        PAL_ASSERT(packed && packed->size() == messages->size());
    }
    if (const auto annotations = decode_annotations(format, input)) {
        PAL_ASSERT(decode_annotations(Format::json, encode_annotations(Format::json, *annotations)) == *annotations);
        const auto packed = decode_annotations(Format::msgpack, encode_annotations(Format::msgpack, *annotations));
        PAL_ASSERT(packed && packed->size() == annotations->size());
    }
    if (const auto batch = decode_batch(format, input)) PAL_ASSERT(batch->several || batch->specs.size() == 1);
}

}  // namespace fuzz
