#include "archive/archive_rows.hpp"

#include "protocol/codec.hpp"
#include "protocol/json_writer.hpp"

namespace archive {

using protocol::Action;
using protocol::Format;
using protocol::JsonWriter;

namespace {

/// The first of a JSON array that has one element: bodies are written and read with the codec's lists.
std::string only(std::string array) { return array.substr(1, array.size() - 2); }

void member(JsonWriter& out, std::string_view name, const std::string& text) {
    out.key(name);
    out.text(text);
}
void member(JsonWriter& out, std::string_view name, Action kind) {
    out.key(name);
    out.number(std::int64_t{std::to_underlying(kind)});
}

template <class T>
Result<T> first(Result<std::vector<T>> all) {
    if (all && all->size() == 1) return std::move(all->front());
    return base::fail(base::ErrorCode::internal_error, "the archive holds a row that is not a message");
}

}  // namespace

void Rows::add(const std::string& address, const broker::Published& published) {
    if (!published.entry) return;
    const auto& entry = *published.entry;
    if (published.latest) {
        add_message(address, *published.latest);
        const auto& serial = published.latest->serial;
        if (published.before) {
            for (const auto* version : {&*published.before, &*published.latest}) {
                add_event(address, serial, Action::message, broker::version_of(*version), protocol::encode_message(Format::json, *version));
            }
        }
        for (const auto& each : broker::annotations_of(entry)) {
            add_event(address, serial, Action::annotation, each.serial, only(protocol::encode_annotations(Format::json, {each})));
        }
        return;
    }
    for (const auto& each : broker::messages_of(entry)) add_message(address, each);
    const auto presence = broker::presence_of(entry);
    for (std::size_t i = 0; i < presence.size(); ++i) {
        messages_[{address, Action::presence, to_serial(broker::Cursor{entry.position, i})}] = {
            presence[i].timestamp, only(protocol::encode_presence(Format::json, {presence[i]}))};
    }
}

void Rows::add_message(const std::string& address, const protocol::Message& message) {
    messages_[{address, Action::message, message.serial}] = {message.timestamp, protocol::encode_message(Format::json, message)};
}

void Rows::add_event(const std::string& address, const std::string& message, Action kind, const std::string& serial, std::string body) {
    events_[{address, message, kind, serial}] = std::move(body);
}

std::string Rows::messages_json() const {
    std::string json;
    JsonWriter out{json};
    out.array([&] {
        for (const auto& [key, row] : messages_) {
            out.element();
            out.object([&] {
                member(out, "address", std::get<0>(key));
                member(out, "kind", std::get<1>(key));
                member(out, "serial", std::get<2>(key));
                out.key("sent_at");
                out.number(row.sent_at);
                out.key("body");
                out.json(row.body);
            });
        }
    });
    return json;
}

std::string Rows::events_json() const {
    std::string json;
    JsonWriter out{json};
    out.array([&] {
        for (const auto& [key, body] : events_) {
            out.element();
            out.object([&] {
                member(out, "address", std::get<0>(key));
                member(out, "message", std::get<1>(key));
                member(out, "kind", std::get<2>(key));
                member(out, "serial", std::get<3>(key));
                out.key("body");
                out.json(body);
            });
        }
    });
    return json;
}

SerialRange range_of(const broker::HistoryQuery& query) {
    SerialRange range;
    if (query.after) (query.direction == broker::Direction::forwards ? range.above : range.below) = to_serial(*query.after);
    if (query.until) {
        const auto below = to_serial(*query.until) + ';';  // behind ':', which goes before the index: all of that entry is in
        if (range.below.empty() || below < range.below) range.below = below;
    }
    return range;
}

Result<protocol::Message> message_of(std::string_view body) { return first(protocol::decode_messages(Format::json, body)); }
Result<protocol::PresenceMessage> presence_of(std::string_view body) { return first(protocol::decode_presence(Format::json, body)); }
Result<protocol::Annotation> annotation_of(std::string_view body) { return first(protocol::decode_annotations(Format::json, body)); }

}  // namespace archive
