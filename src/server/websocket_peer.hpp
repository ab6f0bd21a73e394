#pragma once

#include <memory>
#include <string>

#include "net/http.hpp"
#include "net/tcp_connection.hpp"
#include "net/websocket_parser.hpp"
#include "realtime/hub.hpp"
#include "server/outgoing_frames.hpp"

namespace server {

/// A client's WebSocket: bytes become protocol messages for the hub, and its frames become writes. Shard-owned; the TCP
/// connection keeps it alive.
class WebSocketPeer final : public realtime::Transport,
                            public net::TcpConnection::Handler,
                            public std::enable_shared_from_this<WebSocketPeer> {
public:
    /// Answers the upgrade and opens, resumes or refuses the connection that the request asks for (RTN2).
    /// With `deflated`, compressed messages are agreed to when the client offers them. Both kinds of frames outlive it.
    static void accept(realtime::Hub& hub, const net::HttpRequest& request, std::shared_ptr<net::TcpConnection> tcp, std::string rest,
                       OutgoingFrames& plain, OutgoingFrames* deflated);

    WebSocketPeer(realtime::Hub& hub, std::shared_ptr<net::TcpConnection> tcp, protocol::Format format, OutgoingFrames& frames);

    void send(const protocol::FramePtr& frame) override;
    void send_run(std::span<const protocol::FramePtr> frames) override;
    void answer(const protocol::FramePtr& frame) override;
    std::size_t backlog() const override { return tcp_->answered_bytes(); }
    void ping() override;
    bool was_idle() override { return std::exchange(idle_, true); }
    bool was_heard() override { return std::exchange(heard_, false) || !reading_; }
    void set_reading(bool reading) override;
    void finish() override;

    void on_bytes(std::span<char> bytes) override;
    void on_closed() override;

private:
    void open(realtime::Hub::ConnectRequest request, std::string rest);
    void refuse(const base::Error& error);
    void fail(net::CloseCode code);
    void on_message(net::Opcode opcode, std::string_view payload);

    realtime::Hub& hub_;
    std::shared_ptr<net::TcpConnection> tcp_;
    protocol::Format format_;
    bool idle_ = false, heard_ = false, reading_ = true;
    OutgoingFrames& frames_;
    net::WebSocketParser parser_;
    realtime::Connection* connection_ = nullptr;  // until it is finished with us
};

}  // namespace server
