#include "protocol/message.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "base/limits.hpp"

namespace protocol {
namespace {

namespace limits = base::limits;

std::size_t bytes_of(const Data& data) {
    if (const auto* text = std::get_if<std::string>(&data)) return text->size();
    if (const auto* binary = std::get_if<Binary>(&data)) return binary->bytes.size();
    return 0;
}

/// RSL4, RSL5, RSL6: of steps that SDKs take themselves.
bool is_known(std::string_view encoding) {
    constexpr std::array<std::string_view, 6> steps{"json", "utf-8", "base64", "cipher+aes-128-cbc", "cipher+aes-256-cbc", "vcdiff"};
    if (encoding.size() > limits::known_encoding_bytes_max) return false;
    for (std::size_t at = 0; at <= encoding.size();) {
        const auto slash = std::min(encoding.find('/', at), encoding.size());
        if (std::ranges::find(steps, encoding.substr(at, slash - at)) == steps.end()) return false;
        at = slash + 1;
    }
    return true;
}

std::size_t size_of_encoding(const std::string& encoding) { return encoding.empty() || is_known(encoding) ? 0 : encoding.size(); }
std::size_t size_of_id(const std::string& id) { return id.size() > limits::message_id_bytes_max ? id.size() : 0; }

/// By jemalloc's size classes: four to each doubling.
std::size_t allocated(std::size_t bytes) {
    if (bytes == 0) return 0;
    const auto step = bytes <= 128 ? 16 : std::bit_ceil(bytes) / 8;
    return (bytes + step - 1) / step * step;
}

std::size_t heap_of(const std::string& text) {
    static const auto inside = std::string{}.capacity();
    return text.capacity() > inside ? allocated(text.capacity() + 1) : 0;
}
std::size_t heap_of(const JsonText& json) { return heap_of(json.text); }
std::size_t heap_of(const Data& data) {
    if (const auto* text = std::get_if<std::string>(&data)) return heap_of(*text);
    if (const auto* binary = std::get_if<Binary>(&data)) return heap_of(binary->bytes);
    return 0;
}
template <class... Texts>
std::size_t heap_of_all(const Texts&... texts) {
    return (heap_of(texts) + ... + 0);
}
template <class T>
std::size_t heap_of_list(const std::vector<T>& list) {
    auto bytes = allocated(list.capacity() * sizeof(T));
    for (const auto& each : list) bytes += heap_bytes(each);
    return bytes;
}

}  // namespace

std::size_t size_of(const MessageVersion& version) {
    return version.client_id.size() + version.description.size() + version.metadata.text.size();
}

std::size_t size_of(const Message& message) {
    return message.name.size() + message.client_id.size() + message.extras.text.size() + bytes_of(message.data) +
           size_of_encoding(message.encoding) + size_of_id(message.id) + (message.version ? size_of(*message.version) : 0);
}

std::size_t size_of(const PresenceMessage& message) {
    return message.client_id.size() + message.extras.text.size() + bytes_of(message.data) + size_of_encoding(message.encoding) +
           size_of_id(message.id);
}

std::size_t size_of(const Annotation& annotation) {
    return annotation.type.size() + annotation.name.size() + annotation.client_id.size() + annotation.extras.text.size() +
           bytes_of(annotation.data) + size_of_encoding(annotation.encoding) + size_of_id(annotation.id);
}

std::size_t heap_bytes(const Message& message) {
    const auto& [id, client_id, connection_id, connection_key, name, encoding, data, extras, timestamp, action, serial, version,
                 annotations] = message;
    auto bytes = heap_of_all(id, client_id, connection_id, connection_key, name, encoding, data, extras, serial, annotations);
    if (version) {
        bytes += allocated(sizeof *version) + heap_of_all(version->serial, version->client_id, version->description, version->metadata);
    }
    return bytes;
}

std::size_t heap_bytes(const PresenceMessage& message) {
    return heap_of_all(message.id, message.client_id, message.connection_id, message.encoding, message.data, message.extras);
}

std::size_t heap_bytes(const Annotation& annotation) {
    const auto& [id, client_id, connection_id, name, encoding, data, extras, timestamp, action, serial, message_serial, type, count] =
        annotation;
    return heap_of_all(id, client_id, connection_id, name, encoding, data, extras, serial, message_serial, type);
}

/// What only answers have (params, error, results) is not looked at.
std::size_t heap_bytes(const ProtocolMessage& message) {
    return heap_of_all(message.id, message.channel, message.channel_serial, message.connection_id) + heap_of_list(message.messages) +
           heap_of_list(message.presence) + heap_of_list(message.annotations);
}

}  // namespace protocol
