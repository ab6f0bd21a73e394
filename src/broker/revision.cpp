#include "broker/revision.hpp"

#include "protocol/error_codes.hpp"

namespace broker {

using base::ErrorCode;
using base::fail;
using protocol::Binary;
using protocol::Data;
using protocol::Message;
using protocol::MessageAction;

namespace {

/// False when one is text and the other bytes, or they are encoded in different ways: a whole would not be readable.
bool append(Message& message, const Message& tail) {
    if (std::holds_alternative<std::monostate>(tail.data)) return true;
    if (std::holds_alternative<std::monostate>(message.data)) {
        message.data = tail.data;
        message.encoding = tail.encoding;
        return true;
    }
    if (message.encoding != tail.encoding || message.data.index() != tail.data.index()) return false;
    if (auto* text = std::get_if<std::string>(&message.data)) *text += std::get<std::string>(tail.data);
    if (auto* binary = std::get_if<Binary>(&message.data)) binary->bytes += std::get<Binary>(tail.data).bytes;
    return true;
}

}  // namespace

bool is_change(const Message& message) {
    return message.action == MessageAction::update || message.action == MessageAction::remove || message.action == MessageAction::append;
}

const std::string& version_of(const Message& message) {
    return message.version && !message.version->serial.empty() ? message.version->serial : message.serial;
}

base::Result<Message> revised(const Message& current, const Message& operation, const Change& change) {
    const bool own = !change.own.empty() && change.own == current.client_id;
    if (!change.any && !own) return fail(ErrorCode::capability_denied, "Changing this message is not among this client's capabilities");
    if (change.expected_version && *change.expected_version != version_of(current)) {
        return fail(ErrorCode::conflict, "The message was changed since: its version is {}", version_of(current));
    }
    auto next = current;
    next.id = operation.id;
    next.version = operation.version;
    if (!operation.name.empty()) next.name = operation.name;
    if (!operation.extras.text.empty()) next.extras = operation.extras;
    if (operation.action == MessageAction::append) {
        next.action = MessageAction::update;
        if (!append(next, operation)) return fail(ErrorCode::invalid_message_data, "What is appended is encoded like what it goes behind");
    } else {
        next.action = operation.action;
        if (!std::holds_alternative<std::monostate>(operation.data)) {
            auto data = operation.data;
            next.data.swap(data);  // assigned, it would keep the place of what was there
            next.encoding = operation.encoding;
        }
    }
    // What is said of the change counted when it was published: what it is said of may be as large as any other.
    const auto bytes = size_of(next) - (next.version ? size_of(*next.version) : 0);
    if (bytes > change.bytes_max) {
        return fail(ErrorCode::message_too_large, "Maximum message length exceeded: {} bytes, {} at most", bytes, change.bytes_max);
    }
    return next;
}

}  // namespace broker
