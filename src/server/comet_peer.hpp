#pragma once

#include <deque>
#include <memory>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "net/http_session.hpp"
#include "realtime/connection_key.hpp"
#include "realtime/hub.hpp"

namespace server {

/// A client that has no WebSocket but a request at a time that waits for what it is told: the answer ends with the first of it
/// (long polling), or goes on, a line for each turn (streaming). What it says comes in requests of their own. Shard-owned, by Comet;
/// until it is connected by the request that waits.
class CometPeer final : public realtime::Transport, public std::enable_shared_from_this<CometPeer> {
public:
    enum class Way : std::uint8_t { poll, stream };
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void on_connected(CometPeer& peer) = 0;
        /// Nothing more comes of it, whether it was connected or not.
        virtual void on_over(CometPeer& peer) = 0;
    };
    CometPeer(net::Shard& shard, realtime::Hub& hub, Way way, Owner& owner);

    /// Opens or resumes a connection, which `answer` tells of.
    void open(realtime::Hub::ConnectRequest request, std::shared_ptr<net::HttpStream> answer);
    /// `answer` waits for what the client is told, instead of the one that did before.
    void wait(std::shared_ptr<net::HttpStream> answer);
    /// What the client says; answered when it is taken. Error: rate_limit_exceeded before what it said before is taken.
    void take(std::vector<protocol::Received> frames, net::HttpHandler::Reply reply);
    void refuse(const base::Error& error);

    /// Null when it is finished with us.
    realtime::Connection* connection() { return connection_; }
    const std::string& connection_id() const { return connection_id_; }
    /// Whose connection it is, or was when it was finished with us.
    const auth::Identity& owner() const { return connection_ ? connection_->identity() : last_owner_; }
    /// Whether this is the transport that a client got the key from; another one may have been before it.
    bool gave(const realtime::ConnectionKey& key) const { return key.connection_id == connection_id_ && key.nonce == key_nonce_; }

    void send(const protocol::FramePtr& frame) override;
    void answer(const protocol::FramePtr& frame) override;
    std::size_t backlog() const override { return answered_bytes_; }
    void ping() override {}
    bool was_idle() override { return std::exchange(idle_, true); }
    bool was_heard() override { return std::exchange(heard_, false) || waiting_ || !said_.empty(); }
    void set_reading(bool reading) override;
    void finish() override;

private:
    void push(const protocol::FramePtr& frame);
    void flush_soon();
    void flush();
    void go_on();
    void lost();
    void over();

    net::Shard& shard_;
    realtime::Hub& hub_;
    Way way_;
    Owner& owner_;
    realtime::Connection* connection_ = nullptr;
    std::string connection_id_, key_nonce_;  // once it is connected
    auth::Identity last_owner_;              // once it is finished with us
    boost::asio::steady_timer farewell_;

    std::deque<protocol::FramePtr> queue_;  // what the client has not been told
    std::size_t queued_bytes_ = 0, queued_bytes_max_ = base::limits::outbound_bytes_max;
    std::size_t answered_bytes_ = 0;  // besides those, as net::TcpConnection counts them
    std::shared_ptr<net::HttpStream> waiting_;
    std::size_t streamed_bytes_ = 0;  // in this answer
    bool flush_scheduled_ = false, finished_ = false, overrun_ = false, idle_ = false, heard_ = false;

    std::deque<protocol::Received> said_;  // and not taken yet
    net::HttpHandler::Reply said_reply_;
    bool reading_ = true;
};

}  // namespace server
