#include "server/websocket_peer.hpp"

#include "base/base64.hpp"
#include "base/log.hpp"
#include "net/http_fields.hpp"
#include "protocol/codec.hpp"
#include "protocol/utf8.hpp"
#include "server/credentials.hpp"
#include "server/responses.hpp"

namespace server {

using base::Error;
using base::ErrorCode;
using net::CloseCode;
using net::Opcode;
using protocol::Format;

namespace {

constexpr std::size_t websocket_key_bytes = 16;

std::string upgrade_response(const net::HttpRequest& request, const std::optional<std::string>& extension) {
    net::HttpResponse response{.status = 101,
                               .headers = {{"Upgrade", "websocket"},
                                           {"Connection", "Upgrade"},
                                           {"Sec-WebSocket-Accept", net::websocket_accept(request.header("sec-websocket-key"))}}};
    if (extension) response.headers.emplace_back("Sec-WebSocket-Extensions", *extension);
    return net::serialize(response, true, false);
}

/// RFC 6455 §4.2.1, §4.4. Nothing when it can be upgraded.
std::optional<net::HttpResponse> refused_upgrade(const net::HttpRequest& request) {
    if (request.method != "GET") {
        auto response = respond_error(Format::json, {ErrorCode::method_not_allowed, "A WebSocket is opened by GET"});
        response.headers.emplace_back("Allow", "GET");
        return response;
    }
    if (!net::has_token(request.header("sec-websocket-version"), "13")) {
        auto response = respond_error(Format::json, {ErrorCode::bad_request, "The WebSocket version is 13 (Sec-WebSocket-Version)"});
        response.status = 426;
        response.headers.insert(response.headers.end(), {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}});
        return response;
    }
    const auto key = base::base64_decode(request.header("sec-websocket-key"));
    if (key && key->size() == websocket_key_bytes) return std::nullopt;
    return respond_error(Format::json, {ErrorCode::bad_request, "Sec-WebSocket-Key is 16 bytes in base64"});
}

}  // namespace

void WebSocketPeer::accept(realtime::Hub& hub, const net::HttpRequest& request, std::shared_ptr<net::TcpConnection> tcp, std::string rest,
                           OutgoingFrames& plain, OutgoingFrames* deflated) {
    if (auto refused = refused_upgrade(request)) {
        tcp->send(net::serialize(*refused, false, false));
        return tcp->close();
    }
    const auto format = request.param("format") == "msgpack" ? Format::msgpack : Format::json;
    const auto extension = deflated ? net::accept_deflate(request.header("sec-websocket-extensions")) : std::nullopt;
    const auto peer = std::make_shared<WebSocketPeer>(hub, tcp, format, extension ? *deflated : plain);
    tcp->send(upgrade_response(request, extension));
    tcp->hand_over(peer);
    // An SDK reads why it was refused from a protocol message, so the WebSocket opens in any case.
    auto wanted = connect_request(request, hub.facts().apps, base::now());
    if (!wanted) return peer->refuse(wanted.error());
    wanted->options.format = format;
    peer->open(*std::move(wanted), std::move(rest));
}

WebSocketPeer::WebSocketPeer(realtime::Hub& hub, std::shared_ptr<net::TcpConnection> tcp, Format format, OutgoingFrames& frames)
    : hub_(hub), tcp_(std::move(tcp)), format_(format), frames_(frames), parser_(base::limits::frame_bytes_max, frames.deflate()) {}

void WebSocketPeer::open(realtime::Hub::ConnectRequest request, std::string rest) {
    tcp_->set_reading(false);
    // Not called when we are gone by then; and a shared_ptr here would keep us for the hub when our TCP connection has closed.
    hub_.connect(std::move(request), weak_from_this(),
                 [this, rest = std::move(rest)](base::Result<realtime::Connection*> connection) mutable {
                     if (!connection) return refuse(connection.error());
                     connection_ = *connection;
                     tcp_->set_queued_bytes_max(connection_->identity().app->limits.outbound_bytes);
                     tcp_->set_reading(true);
                     if (!rest.empty()) on_bytes(rest);
                 });
}

void WebSocketPeer::refuse(const Error& error) {
    base::log::info("at=connection_refused code={} peer={} reason=\"{}\"", static_cast<int>(error.code), tcp_->peer_address(),
                    error.message);
    answer(protocol::make_frame(format_, {.action = protocol::Action::error, .error = error}));
    finish();
}

void WebSocketPeer::send(const protocol::FramePtr& frame) {
    idle_ = false;
    tcp_->send(frames_.of(frame));
}

void WebSocketPeer::send_run(std::span<const protocol::FramePtr> frames) {
    idle_ = false;
    for (const auto& piece : frames_.of(frames)) tcp_->send(piece);
}

void WebSocketPeer::answer(const protocol::FramePtr& frame) {
    idle_ = false;
    tcp_->answer(frames_.for_one(frame));
}

void WebSocketPeer::ping() { tcp_->send(net::websocket_frame(Opcode::ping, {})); }

void WebSocketPeer::finish() {
    connection_ = nullptr;
    tcp_->send(net::websocket_close_frame(CloseCode::normal, {}));
    tcp_->close();
}

void WebSocketPeer::set_reading(bool reading) {
    reading_ = reading;
    tcp_->set_reading(reading);
}

void WebSocketPeer::on_bytes(std::span<char> bytes) {
    heard_ = true;
    const auto error = parser_.feed(bytes, [this](Opcode opcode, std::string_view payload) { on_message(opcode, payload); });
    if (error) fail(*error);
}

/// RFC 6455 §7.1.7.
void WebSocketPeer::fail(CloseCode code) {
    if (tcp_->closing()) return;
    const auto why = code == CloseCode::too_big           ? "Message too large"
                     : code == CloseCode::invalid_payload ? "Not what it says it is: UTF-8, or compressed"
                                                          : "WebSocket protocol error";
    tcp_->send(net::websocket_close_frame(code, why));
    tcp_->close();
}

void WebSocketPeer::on_message(Opcode opcode, std::string_view payload) {
    switch (opcode) {
        case Opcode::text:
        case Opcode::binary: {
            if (!connection_ || tcp_->closing()) return;
            if (opcode == Opcode::text && !protocol::is_utf8(payload)) return fail(CloseCode::invalid_payload);
            auto message = protocol::decode(format_, payload);
            if (message) hub_.receive(*connection_, *std::move(message));
            else hub_.refuse(*connection_, protocol::refused(format_, payload, std::move(message.error())));
            return;
        }
        case Opcode::ping: return tcp_->send(net::websocket_frame(Opcode::pong, payload));
        case Opcode::close:
            if (payload.size() > 2 && !protocol::is_utf8(payload.substr(2))) return fail(CloseCode::invalid_payload);
            // Without a CLOSE before it, the client may come back and resume.
            tcp_->send(net::websocket_frame(Opcode::close, payload.substr(0, 2)));
            return tcp_->close();
        case Opcode::pong:
        case Opcode::continuation: return;
    }
}

void WebSocketPeer::on_closed() {
    if (auto* connection = std::exchange(connection_, nullptr)) hub_.transport_lost(*connection);
}

}  // namespace server
