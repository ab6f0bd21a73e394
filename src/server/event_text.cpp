#include "server/event_text.hpp"

#include <algorithm>

#include "broker/position.hpp"
#include "protocol/encoder.hpp"

namespace server {

using base::ErrorCode;
using protocol::Action;
using protocol::Encoder;
using protocol::JsonWriter;
using protocol::ProtocolMessage;

namespace {

constexpr char separator = ',';  // no serial has one

template <class Item>
std::string data_of(const Item& item) {
    if (const auto* binary = std::get_if<protocol::Binary>(&item.data)) return base::base64_encode(binary->bytes);
    const auto* text = std::get_if<std::string>(&item.data);
    return text ? *text : std::string{};
}

/// A message as a client of the protocol would know it: with what its frame says once for all (TM2a, TM2c, TM2f).
template <class Item>
std::string envelope_of(Item item, const ProtocolMessage& frame) {
    if (item.timestamp == 0) item.timestamp = frame.timestamp;
    if (item.connection_id.empty()) item.connection_id = frame.connection_id;
    std::string json;
    Encoder<JsonWriter>{json}.value(item);
    json.pop_back();
    JsonWriter writer{json};
    writer.key("channel");
    writer.text(frame.channel);
    return json + '}';
}

}  // namespace

EventText::EventText(Form form, std::vector<std::string> channels, std::vector<std::string> position)
    : form_(form), channels_(std::move(channels)), serials_(std::move(position)), resuming_(!serials_.empty()) {
    serials_.resize(channels_.size());
}

std::optional<std::vector<std::string>> EventText::parse_position(std::string_view id, std::size_t channels) {
    std::vector<std::string> serials;
    for (auto rest = id;;) {
        const auto end = std::min(rest.find(separator), rest.size());
        serials.emplace_back(rest.substr(0, end));
        std::ranges::replace(serials.back(), ' ', '+');  // who puts an id into a query as it is means a plus
        if (serials.size() > channels || !broker::parse_serial(serials.back())) return std::nullopt;
        if (end == rest.size()) break;
        rest.remove_prefix(end + 1);
    }
    return serials.size() == channels ? std::optional{serials} : std::nullopt;
}

std::string EventText::position() const {
    std::string id;
    for (const auto& serial : serials_) {
        if (serial.empty()) return {};
        if (!id.empty()) id += separator;
        id += serial;
    }
    return id;
}

std::string EventText::of(const ProtocolMessage& frame) {
    switch (frame.action) {
        case Action::connected:
        case Action::heartbeat: return keep_alive();
        case Action::attached: return attached(frame);
        case Action::message: return each("message", frame, frame.messages);
        case Action::presence: return each("presence", frame, frame.presence);
        case Action::error:
        case Action::disconnected:
        case Action::detached: return frame.error ? error(*frame.error) : std::string{};
        default: return {};
    }
}

std::string EventText::attached(const ProtocolMessage& frame) {
    const auto channel = std::ranges::find(channels_, frame.channel);
    if (channel == channels_.end()) return {};
    serials_[static_cast<std::size_t>(channel - channels_.begin())] = frame.channel_serial;
    std::string text;
    if (resuming_ && (frame.flags & protocol::flag::resumed) == 0) {
        text = error({ErrorCode::unable_to_recover_channel, "Unable to go on from there: messages are missing on " + frame.channel});
    }
    // An event without data is none, but its id is kept: a browser that comes back before the first message says from where.
    if (const auto id = position(); form_.events && !id.empty()) text += "id: " + id + "\n\n";
    return text;
}

template <class Item>
std::string EventText::each(std::string_view name, const ProtocolMessage& frame, const std::vector<Item>& items) {
    std::string text;
    const auto channel = std::ranges::find(channels_, frame.channel);
    if (channel == channels_.end()) return text;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const bool last = i + 1 == items.size();  // only then nothing of the frame is missing after this id
        if (last) serials_[static_cast<std::size_t>(channel - channels_.begin())] = frame.channel_serial;
        const auto data = form_.enveloped ? envelope_of(items[i], frame) : data_of(items[i]);
        text += event(name, data, form_.enveloped, last ? position() : std::string{});
    }
    return text;
}

std::string EventText::error(const protocol::ErrorInfo& error) const {
    std::string json;
    Encoder<JsonWriter>{json}.value(error);
    return event("error", json, true, {});
}

std::string EventText::keep_alive() const {
    if (form_.heartbeats) return form_.events ? "event: heartbeat\ndata:\n\n" : "{\"event\":\"heartbeat\"}\n";
    return form_.events ? ":keepalive\n\n" : "\n";
}

std::string EventText::event(std::string_view name, std::string_view data, bool is_json, const std::string& id) const {
    std::string text;
    if (!form_.events) {
        JsonWriter writer{text};
        writer.object([&] {
            if (!id.empty()) {
                writer.key("id");
                writer.text(id);
            }
            writer.key("event");
            writer.text(name);
            writer.key("data");
            if (is_json) writer.json(data);
            else writer.text(data);
        });
        return text + '\n';
    }
    if (!id.empty()) text += "id: " + id + '\n';
    text += "event: " + std::string{name} + "\ndata: ";
    for (std::size_t i = 0; i < data.size(); ++i) {
        // What ends a line for the reader: CR LF, CR or LF. It puts a line feed in its place, whatever we write.
        if (data[i] == '\r' && i + 1 < data.size() && data[i + 1] == '\n') continue;
        if (data[i] == '\n' || data[i] == '\r') text += "\ndata: ";
        else text += data[i];
    }
    return text + "\n\n";
}

}  // namespace server
