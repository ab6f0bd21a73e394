#include <charconv>

#include <fmt/format.h>

#include "bench/dialect.hpp"
#include "protocol/codec.hpp"

namespace bench {
namespace {

using protocol::Action;
using protocol::Format;

class Ably final : public Dialect {
public:
    Ably(Format format, const std::string& key) : format_(format) {
        for (const char c : key) key_ += c == ':' ? "%3A" : std::string{c};
    }

    std::string path(const Party& party) const override {
        return fmt::format("/?key={}&format={}&v=4&heartbeats=false{}", key_, format_ == Format::json ? "json" : "msgpack",
                           party.role == Role::publisher ? "&echo=false" : "");
    }

    Heard hear(const Party& party, std::string_view payload) const override {
        if (const auto count = quick_ack(payload)) return {.kind = Heard::Kind::acknowledged, .count = count};
        const auto message = protocol::decode(format_, payload);
        if (!message) return {.kind = Heard::Kind::refused, .reason = message.error().message};
        switch (message->action) {
            case Action::connected:
                if (party.role == Role::publisher) return {.kind = Heard::Kind::ready};
                return {.reply = frame({.action = Action::attach, .channel = party.channel})};
            case Action::attached: return {.kind = Heard::Kind::ready};
            case Action::heartbeat: return {.reply = frame({.action = Action::heartbeat})};
            case Action::ack: return {.kind = Heard::Kind::acknowledged, .count = static_cast<std::uint32_t>(message->count)};
            case Action::nack:
            case Action::error:
            case Action::detached:
            case Action::disconnected:
                return {.kind = Heard::Kind::refused,
                        .count = static_cast<std::uint32_t>(message->count),
                        .reason = message->error ? message->error->message : "no reason given"};
            default: return {};
        }
    }

    // What protocol::encode would write, without building a message first: a publisher may send hundreds of thousands a second.
    void publish(std::string& out, std::string_view channel, std::uint32_t serial, std::string_view payload) const override {
        body_.clear();
        if (format_ == Format::json) {
            fmt::format_to(std::back_inserter(body_),
                           R"({{"action":15,"msgSerial":{},"channel":"{}","messages":[{{"data":"{}"}}]}})", serial, channel,
                           payload);
        } else {
            body_ +=
                "\x84\xa6"
                "action\x0f\xa9msgSerial\xce";
            big_endian(serial, 4);
            body_ +=
                "\xa7"
                "channel\xd9";
            big_endian(channel.size(), 1);
            body_ += channel;
            body_ +=
                "\xa8messages\x91\x81\xa4"
                "data\xda";
            big_endian(payload.size(), 2);
            body_ += payload;
        }
        append_frame(out, format_ == Format::json ? Opcode::text : Opcode::binary, body_);
    }
    bool acknowledges() const override { return true; }
    std::string farewell() const override { return frame({.action = Action::close}); }

private:
    std::string frame(const protocol::ProtocolMessage& message) const {
        std::string bytes;
        append_frame(bytes, format_ == Format::json ? Opcode::text : Opcode::binary, protocol::encode(format_, message));
        return bytes;
    }

    /// The count of an ACK as servers usually write it; 0 when it has to be decoded.
    std::uint32_t quick_ack(std::string_view payload) const {
        constexpr std::string_view ack = R"({"action":1,)", count_key = R"("count":)";
        std::uint32_t count = 0;
        if (format_ != Format::json || !payload.starts_with(ack)) return 0;
        const auto at = payload.find(count_key);
        if (at != payload.npos) std::from_chars(payload.data() + at + count_key.size(), payload.data() + payload.size(), count);
        return count;
    }

    void big_endian(std::size_t value, int bytes) const {
        while (bytes-- > 0) body_ += static_cast<char>(value >> (8 * bytes) & 0xff);
    }

    Format format_;
    std::string key_;
    mutable std::string body_;
};

}  // namespace

std::unique_ptr<Dialect> make_ably(bool msgpack, std::string key) {
    return std::make_unique<Ably>(msgpack ? Format::msgpack : Format::json, key);
}

}  // namespace bench
