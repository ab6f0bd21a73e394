#include "protocol/codec.hpp"

#include "protocol/decoder.hpp"
#include "protocol/encoder.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/msgpack_reader.hpp"
#include "protocol/msgpack_writer.hpp"

namespace protocol {
namespace {

template <class Write>
void append(Format format, std::string& out, Write&& write) {
    if (format == Format::json) write(Encoder<JsonWriter>{out});
    else write(Encoder<MsgpackWriter>{out});
}

template <class Write>
std::string encoded(Format format, Write&& write) {
    std::string out;
    out.reserve(256);
    append(format, out, std::forward<Write>(write));
    return out;
}

constexpr Action none{0xff};  // until one is read

Result<void> check_action(const ProtocolMessage& message) {
    if (message.action == none) return fail(ErrorCode::bad_request, "action: a protocol message has one");
    return {};
}

template <class Reader>
Result<ProtocolMessage> decode_frame(std::string_view bytes) {
    Result<ProtocolMessage> message{std::in_place};
    message->action = none;
    auto read = Decoder<Reader>{bytes}.read_whole(*message);
    if (read) read = check_action(*message);
    if (!read) message = std::unexpected(read.error());
    return message;
}

template <class Reader>
Refused address_of(std::string_view bytes, Error error) {
    Refused refused{.error = std::move(error)};
    Reader in{bytes};
    const bool framed = in.kind() == Kind::object && in.object([&](std::string_view key) {
        if (key == "channel" && in.kind() == Kind::text) return in.text(refused.channel);
        if (key == "msgSerial" && in.kind() == Kind::number) {
            Number number;
            auto ahead = in;
            refused.msg_serial = ahead.number(number) ? whole(number) : std::nullopt;
        }
        return in.skip_anything();
    });
    if (framed && in.at_end()) return refused;
    return {.msg_serial = {}, .channel = {}, .error = std::move(refused.error)};
}

/// One of them or an array of them.
template <class T, class Reader>
Result<std::vector<T>> decode_some(std::string_view bytes) {
    Decoder<Reader> decoder{bytes};
    if (decoder.kind() == Kind::array) return decoder.template whole_input<std::vector<T>>();
    auto one = decoder.template whole_input<T>();
    if (!one) return std::unexpected(std::move(one.error()));
    std::vector<T> all;
    all.push_back(std::move(*one));
    return all;
}

}  // namespace

Result<ProtocolMessage> decode(Format format, std::string_view bytes) {
    return format == Format::json ? decode_frame<JsonReader>(bytes) : decode_frame<MsgpackReader>(bytes);
}

Refused refused(Format format, std::string_view bytes, Error error) {
    return format == Format::json ? address_of<JsonReader>(bytes, std::move(error)) : address_of<MsgpackReader>(bytes, std::move(error));
}

Result<std::vector<Received>> decode_frames(std::string_view json) {
    std::vector<Received> frames;
    std::optional<Error> unanswerable;
    JsonReader in{json};
    const bool listed = in.kind() == Kind::array && in.array([&] {
        if (frames.size() == base::limits::messages_per_publish_max) return false;
        in.kind();  // to where it begins
        const auto start = in.position();
        if (!in.skip_anything()) return false;
        const auto bytes = json.substr(start, in.position() - start);
        auto message = decode_frame<JsonReader>(bytes);
        if (message) {
            frames.emplace_back(*std::move(message));
            return true;
        }
        auto answered = refused(Format::json, bytes, std::move(message.error()));
        if (!answered.msg_serial && answered.channel.empty()) {
            unanswerable = std::move(answered.error);
            return false;
        }
        frames.emplace_back(std::move(answered));
        return true;
    });
    if (unanswerable) return std::unexpected(*std::move(unanswerable));
    if (listed && in.at_end()) return frames;
    return fail(ErrorCode::invalid_body, "A list of at most {} protocol messages is needed; this one cannot be read from byte {} on",
                base::limits::messages_per_publish_max, in.position());
}

void encode(Format format, const ProtocolMessage& message, std::string& out) {
    append(format, out, [&](auto encoder) { encoder.value(message); });
}

std::string encode(Format format, const ProtocolMessage& message) {
    return encoded(format, [&](auto encoder) { encoder.value(message); });
}

Result<std::vector<Message>> decode_messages(Format format, std::string_view bytes) {
    return format == Format::json ? decode_some<Message, JsonReader>(bytes) : decode_some<Message, MsgpackReader>(bytes);
}

Result<std::vector<PresenceMessage>> decode_presence(Format format, std::string_view bytes) {
    return format == Format::json ? decode_some<PresenceMessage, JsonReader>(bytes) : decode_some<PresenceMessage, MsgpackReader>(bytes);
}

Result<std::vector<Annotation>> decode_annotations(Format format, std::string_view bytes) {
    return format == Format::json ? decode_some<Annotation, JsonReader>(bytes) : decode_some<Annotation, MsgpackReader>(bytes);
}

std::string encode_messages(Format format, const std::vector<Message>& messages) {
    return encoded(format, [&](auto encoder) { encoder.value(messages); });
}

std::string encode_message(Format format, const Message& message) {
    return encoded(format, [&](auto encoder) { encoder.value(message); });
}

std::string encode_annotations(Format format, const std::vector<Annotation>& annotations) {
    return encoded(format, [&](auto encoder) { encoder.value(annotations); });
}

std::string encode_presence(Format format, const std::vector<PresenceMessage>& members) {
    return encoded(format, [&](auto encoder) { encoder.value(members); });
}

std::string encode_error(Format format, const ErrorInfo& error) {
    return encoded(format, [&](auto encoder) { encoder.wrapped_error(error); });
}

std::string json_to_msgpack(std::string_view json) {
    std::string out;
    MsgpackWriter{out}.json(json);
    return out;
}

Result<std::string> msgpack_to_json(std::string_view bytes) {
    std::string out;
    MsgpackReader in{bytes};
    JsonWriter writer{out};
    if (copy_value(in, writer) && in.at_end()) return out;
    return fail(ErrorCode::invalid_body, "the body cannot be read from byte {} on", in.position());
}

}  // namespace protocol
