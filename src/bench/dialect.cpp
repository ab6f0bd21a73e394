#include "bench/dialect.hpp"

#include <stdexcept>

#include <fmt/format.h>

namespace bench {
namespace {

std::string frame(Opcode opcode, std::string_view payload) {
    std::string bytes;
    append_frame(bytes, opcode, payload);
    return bytes;
}

/// nats-server: its text protocol in binary frames. Publishes are not acknowledged, as its clients have it by default, unless
/// a publisher asks for an +OK to each command.
class Nats final : public Dialect {
public:
    explicit Nats(bool verbose) : verbose_(verbose) {}
    std::string path(const Party&) const override { return "/"; }
    std::string opening(const Party& party) const override {
        const bool verbose = verbose_ && party.role == Role::publisher;
        auto commands = fmt::format(R"(CONNECT {{"verbose":{},"pedantic":false,"echo":false,"lang":"bench","version":"1","protocol":1}})"
                                    "\r\n",
                                    verbose);
        if (party.role == Role::subscriber) commands += fmt::format("SUB {} 1\r\n", party.channel);
        return frame(Opcode::binary, commands + "PING\r\n");
    }
    Heard hear(const Party&, std::string_view payload) const override {
        if (payload.find("-ERR") != payload.npos) return {.kind = Heard::Kind::refused, .reason = std::string{payload}};
        Heard heard;
        for (auto at = payload.find("+OK"); at != payload.npos; at = payload.find("+OK", at + 3)) ++heard.count;
        if (heard.count > 0) heard.kind = Heard::Kind::acknowledged;  // those before it is ready are of no publish
        if (payload.find("PONG\r\n") != payload.npos) heard.kind = Heard::Kind::ready;
        if (payload.find("PING\r\n") != payload.npos) heard.reply = frame(Opcode::binary, "PONG\r\n");
        return heard;
    }
    void publish(std::string& out, std::string_view channel, std::uint32_t, std::string_view payload) const override {
        append_frame(out, Opcode::binary, fmt::format("PUB {} {}\r\n{}\r\n", channel, payload.size(), payload));
    }
    bool acknowledges() const override { return verbose_; }

private:
    bool verbose_;
};

/// nginx with nchan: a path is a channel; a publisher's WebSocket is of one channel too.
class Nchan final : public Dialect {
public:
    std::string path(const Party& party) const override {
        return fmt::format("/{}/{}", party.role == Role::subscriber ? "sub" : "pub", party.channel);
    }
    bool ready_when_open(const Party&) const override { return true; }
    Heard hear(const Party& party, std::string_view) const override {
        // A publisher hears of each message how many are subscribed and have it.
        return {.kind = party.role == Role::publisher ? Heard::Kind::acknowledged : Heard::Kind::other, .count = 1};
    }
    void publish(std::string& out, std::string_view, std::uint32_t, std::string_view payload) const override {
        append_frame(out, Opcode::text, payload);
    }
    bool acknowledges() const override { return true; }
};

/// The server of bench/peers/ws.mjs: a subscriber's channel is its path, a publisher sends "channel payload".
class Ws final : public Dialect {
public:
    std::string path(const Party& party) const override { return party.role == Role::subscriber ? "/" + party.channel : "/"; }
    bool ready_when_open(const Party&) const override { return true; }
    Heard hear(const Party&, std::string_view) const override { return {}; }
    void publish(std::string& out, std::string_view channel, std::uint32_t, std::string_view payload) const override {
        append_frame(out, Opcode::text, fmt::format("{} {}", channel, payload));
    }
};

/// The server of bench/peers/socketio.mjs, over Engine.IO 4: rooms are channels.
class SocketIo final : public Dialect {
public:
    std::string path(const Party&) const override { return "/socket.io/?EIO=4&transport=websocket"; }
    Heard hear(const Party& party, std::string_view payload) const override {
        if (payload.starts_with("0{")) return {.reply = frame(Opcode::text, "40")};
        if (payload == "2") return {.reply = frame(Opcode::text, "3")};
        if (payload.starts_with("44")) return {.kind = Heard::Kind::refused, .reason = std::string{payload}};
        const bool subscribes = party.role == Role::subscriber;
        if (payload.starts_with("40") && subscribes)
            return {.reply = frame(Opcode::text, fmt::format(R"(42["join","{}"])", party.channel))};
        if (payload.starts_with(subscribes ? R"(42["joined")" : "40")) return {.kind = Heard::Kind::ready};
        return {};
    }
    void publish(std::string& out, std::string_view channel, std::uint32_t, std::string_view payload) const override {
        append_frame(out, Opcode::text, fmt::format(R"(42["publish","{}","{}"])", channel, payload));
    }
};

}  // namespace

std::unique_ptr<Dialect> make_dialect(std::string_view name, std::string key) {
    if (name == "ably-json" || name == "ably-msgpack") return make_ably(name == "ably-msgpack", std::move(key));
    if (name == "nats" || name == "nats-ok") return std::make_unique<Nats>(name == "nats-ok");
    if (name == "nchan") return std::make_unique<Nchan>();
    if (name == "ws") return std::make_unique<Ws>();
    if (name == "socketio") return std::make_unique<SocketIo>();
    throw std::runtime_error(fmt::format("no dialect {}: ably-json, ably-msgpack, nats, nats-ok, nchan, socketio or ws", name));
}

}  // namespace bench
