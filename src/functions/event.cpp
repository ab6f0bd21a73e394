#include "functions/event.hpp"

#include "protocol/codec.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"

namespace functions {

std::string to_json(const Event& event) {
    std::string out;
    protocol::JsonWriter json{out};
    json.object([&] {
        for (const auto& [key, value] : {std::pair{"source", &event.source}, {"appId", &event.app_id}, {"channel", &event.channel},
                                         {"site", &event.site}, {"ruleId", &event.rule_id}}) {
            json.key(key);
            json.text(*value);
        }
        json.key("messages");
        json.json(protocol::encode_messages(protocol::Format::json, event.messages));
    });
    return out;
}

Result<Event> event_from_json(std::string_view text) {
    Event event;
    std::string messages;
    protocol::JsonReader in{text};
    const bool read = in.object([&](std::string_view key) {
        if (key == "source") return in.text(event.source);
        if (key == "appId") return in.text(event.app_id);
        if (key == "channel") return in.text(event.channel);
        if (key == "site") return in.text(event.site);
        if (key == "ruleId") return in.text(event.rule_id);
        if (key == "messages") return in.json(messages);
        return in.skip();
    });
    if (!read || !in.at_end()) return fail(ErrorCode::invalid_body, "the event is not an object of the expected form");
    if (messages.empty()) return fail(ErrorCode::invalid_body, "the event has no messages");
    auto decoded = protocol::decode_messages(protocol::Format::json, messages);
    if (!decoded) return std::unexpected(decoded.error());
    event.messages = *std::move(decoded);
    return event;
}

}  // namespace functions
