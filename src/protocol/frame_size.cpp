#include "protocol/frame_size.hpp"

#include "protocol/codec.hpp"
#include "protocol/json_plain.hpp"

namespace protocol {
namespace {

/// Of one message: the names of all its fields, its numbers, and what is not stamped yet of id, connectionId and serials.
constexpr std::size_t stamps_bytes = 448;

/// In MessagePack a number of four characters, "1.5,", takes nine bytes.
std::size_t json_most(const JsonText& json) { return json.text.size() * 9 / 4; }
std::size_t data_most(const Data& data) {
    if (const auto* text = std::get_if<std::string>(&data)) return escaped_bytes(*text);
    if (const auto* binary = std::get_if<Binary>(&data)) return (binary->bytes.size() + 2) / 3 * 4;
    return 0;
}
template <class... Texts>
std::size_t texts_most(const Texts&... texts) {
    return (escaped_bytes(texts) + ...);
}

}  // namespace

std::size_t encoded_bytes_most(const Message& message) {
    auto bytes = stamps_bytes + data_most(message.data) + json_most(message.extras) + json_most(message.annotations) +
                 texts_most(message.id, message.client_id, message.connection_id, message.name, message.encoding, message.serial);
    if (message.version) {
        const auto& version = *message.version;
        bytes += texts_most(version.serial, version.client_id, version.description) + json_most(version.metadata);
    }
    return bytes;
}

std::size_t encoded_bytes_most(const PresenceMessage& message) {
    return stamps_bytes + data_most(message.data) + json_most(message.extras) +
           texts_most(message.id, message.client_id, message.connection_id, message.encoding);
}

std::size_t encoded_bytes_most(const Annotation& annotation) {
    return stamps_bytes + data_most(annotation.data) + json_most(annotation.extras) +
           texts_most(annotation.id, annotation.client_id, annotation.connection_id, annotation.name, annotation.encoding,
                      annotation.serial, annotation.message_serial, annotation.type);
}

bool fits_frame(const ProtocolMessage& message) {
    const auto most = encoded_bytes_most(message.messages) + encoded_bytes_most(message.presence) + encoded_bytes_most(message.annotations);
    if (most <= frame_content_bytes_max) return true;
    // Its texts may be plainer than that, and its JSON: then it takes what it takes, and what is stamped on it.
    constexpr std::size_t stamped_later_bytes = 160;
    const auto later = stamped_later_bytes * (message.messages.size() + message.presence.size() + message.annotations.size());
    return encode(Format::json, message).size() + later <= frame_content_bytes_max &&
           encode(Format::msgpack, message).size() + later <= frame_content_bytes_max;
}

bool fits_frame(const Message& message) {
    return encoded_bytes_most(message) <= frame_content_bytes_max || fits_frame(ProtocolMessage{.messages = {message}});
}

}  // namespace protocol
