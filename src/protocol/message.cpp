#include "protocol/message.hpp"

namespace protocol {
namespace {

std::size_t bytes_of(const Data& data) {
    if (const auto* text = std::get_if<std::string>(&data)) return text->size();
    if (const auto* binary = std::get_if<Binary>(&data)) return binary->bytes.size();
    return 0;
}

}  // namespace

std::size_t size_of(const Message& message) {
    return message.name.size() + message.client_id.size() + message.extras.text.size() + bytes_of(message.data);
}

std::size_t size_of(const PresenceMessage& message) {
    return message.client_id.size() + message.extras.text.size() + bytes_of(message.data);
}

std::size_t size_of(const Annotation& annotation) {
    return annotation.type.size() + annotation.name.size() + annotation.client_id.size() + annotation.extras.text.size() +
           bytes_of(annotation.data);
}

}  // namespace protocol
