#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/limits.hpp"
#include "base/resource_limits.hpp"
#include "net/gate.hpp"
#include "net/shard.hpp"

namespace net {

/// A TCP connection on its way to another shard. Closed if it never arrives.
class MovingConnection {
public:
    MovingConnection(asio::ip::tcp protocol, int descriptor, std::string unwritten, Gate::Seat seat)
        : protocol_(protocol), descriptor_(descriptor), unwritten_(std::move(unwritten)), seat_(std::move(seat)) {}
    MovingConnection(MovingConnection&& other) noexcept
        : protocol_(other.protocol_), descriptor_(std::exchange(other.descriptor_, -1)), unwritten_(std::move(other.unwritten_)),
          seat_(std::move(other.seat_)) {}
    MovingConnection& operator=(MovingConnection&&) = delete;
    ~MovingConnection();

private:
    friend class TcpConnection;
    asio::ip::tcp protocol_;
    int descriptor_;
    std::string unwritten_;
    Gate::Seat seat_;
};

/// An accepted TCP connection: bytes in, gathered writes out. Shard-owned. It keeps itself alive while it waits for the
/// socket, and lets go of its handler when it closes.
class TcpConnection final : public Resident, public std::enable_shared_from_this<TcpConnection> {
public:
    class Handler {
    public:
        virtual ~Handler() = default;
        /// `bytes` is the shard's read buffer: whoever needs it later copies it, and may change it in place.
        virtual void on_bytes(std::span<char> bytes) = 0;
        /// Last call: the peer is gone, or close() was called and what was queued is written, or too much was queued.
        virtual void on_closed() = 0;
        /// What was queued is written: called once for each tell_when_written().
        virtual void on_written() {}
        /// The server is to end: close what nobody waits for an answer on, and the rest when it is answered.
        virtual void wind_down() {}
    };

    TcpConnection(Shard& shard, asio::ip::tcp::socket socket, std::size_t queued_bytes_max);
    ~TcpConnection() override;

    /// On the shard that it comes to; to be started as any other.
    static std::shared_ptr<TcpConnection> arrive(Shard& shard, MovingConnection moving, std::size_t queued_bytes_max);
    /// Takes the connection away from here, to another shard; the handler is called no more.
    MovingConnection leave();

    void start(std::shared_ptr<Handler> handler);
    /// Hands the connection to another handler, as on an upgrade; the old one is called no more.
    void hand_over(std::shared_ptr<Handler> handler) { handler_ = std::move(handler); }

    /// Queues; written at the end of the turn. Once more than queued_bytes_max is queued the reader is too slow: everything
    /// is dropped and the connection closes. A piece is of this shard's blocks.
    void send(const Piece& piece) {
        if (closing_ || piece.empty()) return;
        if (!overrun()) queue_.push(piece, waiting_writable_);
        shard_.flush_soon(*this);
    }
    /// Queues what the peer asked for: it is no slower a reader for having to read much of that, up to a bound of its own.
    void answer(Bytes bytes) {
        if (closing_) return;
        const auto size = bytes->size();
        own(size);
        send(std::move(bytes));
        answered_bytes_ += size;
    }
    void send(Bytes bytes) { send(shard_.blocks().of(std::move(bytes))); }
    /// Bytes for this peer alone.
    void send(std::string bytes) {
        own(bytes.size());
        send(shard_.blocks().of(std::move(bytes)));
    }
    std::size_t queued_bytes() const { return queue_.bytes(); }
    std::size_t answered_bytes() const { return answered_bytes_; }
    void tell_when_written() { tells_when_written_ = true; }
    void set_queued_bytes_max(std::size_t bytes) { queued_bytes_max_ = bytes; }
    void set_reading(bool reading);
    /// Reads no more, and closes when what is queued is written (or cannot be).
    void close();
    bool closing() const { return closing_; }

    std::string peer_address() const;
    /// Counted as one of its address's from here on, instead of what it was counted as before.
    void hold(Gate::Seat seat) { seat_ = std::move(seat); }
    /// Unknown when nobody counts it.
    const Address& peer() const { return seat_.address(); }

    void flush() override;
    void wind_down() override {
        if (handler_) handler_->wind_down();
    }
    void abandon() override { shut(); }
    void drop_if_slow() override;

private:
    void wait_readable();
    void read();
    void write();
    void wait_writable();
    void say_goodbye();
    void drain();
    void shut();
    bool overrun() const {
        return queue_.bytes() > answered_bytes_ + queued_bytes_max_ || answered_bytes_ > base::limits::answers_bytes_max ||
               (own_bytes_ > base::limits::slow_reader_bytes && own_bytes_ > shard_.answers().share());
    }
    void own(std::size_t bytes) {
        if (closing_ || overrun()) return;
        own_bytes_ += bytes;
        shard_.answers().take(bytes);
    }
    void disown(std::size_t bytes);
    void expect_progress();
    void drop_slow(const char* why);

    asio::ip::tcp::socket socket_;
    std::shared_ptr<Handler> handler_;
    std::size_t queued_bytes_max_, answered_bytes_ = 0;  // of what is queued
    WriteQueue queue_;
    std::size_t own_bytes_ = 0;                     // of what is queued, what nobody else is sent: the shard's budget has it
    std::uint64_t written_bytes_ = 0, due_bytes_ = 0;  // so many are to be written before patience_ ends
    std::unique_ptr<asio::steady_timer> patience_;  // of a peer that did not take all at once
    Gate::Seat seat_;
    bool waiting_patiently_ = false, tells_when_written_ = false;
    bool waiting_writable_ = false, waiting_readable_ = false;
    bool reading_ = true, closing_ = false, draining_ = false;
};

}  // namespace net
