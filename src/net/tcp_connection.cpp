#include "net/tcp_connection.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <boost/asio/steady_timer.hpp>

#include "base/log.hpp"

namespace net {

namespace {

constexpr std::size_t pieces_per_write = 256;
constexpr std::chrono::seconds goodbye_timeout{2};
constexpr int unsent_bytes_max = 256 << 10;  // that the kernel holds; the rest waits here, where it is counted and can be dropped
constexpr unsigned unacknowledged_timeout_ms = 20'000;  // a peer that vanished is noticed by what it does not acknowledge

}  // namespace

TcpConnection::TcpConnection(Shard& shard, asio::ip::tcp::socket socket, std::size_t queued_bytes_max)
    : Resident(shard), socket_(std::move(socket)), queued_bytes_max_(queued_bytes_max) {
    boost::system::error_code ignored;  // a socket that is gone already says so at the first read
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max, sizeof unsent_bytes_max);
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_timeout_ms, sizeof unacknowledged_timeout_ms);
}

TcpConnection::~TcpConnection() = default;

MovingConnection::~MovingConnection() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::shared_ptr<TcpConnection> TcpConnection::arrive(Shard& shard, MovingConnection moving, std::size_t queued_bytes_max) {
    asio::ip::tcp::socket socket{shard.io()};
    boost::system::error_code error;  // then it is not open, which the first wait tells
    socket.assign(moving.protocol_, moving.descriptor_, error);
    if (!error) moving.descriptor_ = -1;
    auto connection = std::make_shared<TcpConnection>(shard, std::move(socket), queued_bytes_max);
    connection->hold(std::move(moving.seat_));
    connection->send(std::move(moving.unwritten_));
    return connection;
}

MovingConnection TcpConnection::leave() {
    std::string unwritten;
    while (!queue_.empty()) {
        iovec piece;
        queue_.front(&piece, 1);
        unwritten.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
        queue_.written(piece.iov_len);
    }
    disown(own_bytes_);
    handler_ = nullptr;
    boost::system::error_code error;
    const auto protocol = socket_.local_endpoint(error).protocol();
    const auto descriptor = socket_.release(error);  // what waits for it is told that it is over
    return {protocol, error ? -1 : descriptor, std::move(unwritten), std::move(seat_)};
}

void TcpConnection::start(std::shared_ptr<Handler> handler) {
    handler_ = std::move(handler);
    wait_readable();
}

std::string TcpConnection::peer_address() const {
    boost::system::error_code error;
    const auto endpoint = socket_.remote_endpoint(error);
    return error ? "unknown" : endpoint.address().to_string();
}

void TcpConnection::set_reading(bool reading) {
    reading_ = reading;
    if (reading_ && !closing_) wait_readable();
}

void TcpConnection::wait_readable() {
    if (waiting_readable_ || !reading_) return;
    waiting_readable_ = true;
    socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
        self->waiting_readable_ = false;
        if (!error) self->read();
    });
}

void TcpConnection::read() {
    if (draining_) return drain();
    if (!reading_ || closing_) return;
    // Once, however much there is: then others get their turn, and what this brought is written.
    const auto buffer = shard_.read_buffer();
    const auto got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    const bool later = got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK);
    if (got <= 0 && !later) return shut();
    if (got > 0) {
        const auto handler = handler_;  // it may hand over, or close, and is not to be pulled from under its own feet
        handler->on_bytes(buffer.first(static_cast<std::size_t>(got)));
    }
    if (socket_.is_open() && !closing_) wait_readable();
}

void TcpConnection::close() {
    if (std::exchange(closing_, true)) return;
    shard_.flush_soon(*this);
}

void TcpConnection::flush() {
    if (!socket_.is_open()) return;
    if (overrun()) return drop_slow("too_much");
    if (!waiting_writable_) write();
}

void TcpConnection::drop_slow(const char* why) {
    base::log::info("at=slow_reader why={} peer={} queued_bytes={}", why, peer_address(), queue_.bytes());
    shut();
}

void TcpConnection::drop_if_slow() {
    if (socket_.is_open() && waiting_writable_ && queue_.bytes() > base::limits::slow_reader_bytes) drop_slow("memory");
}

void TcpConnection::disown(std::size_t bytes) {
    own_bytes_ -= bytes;
    shard_.answers().give_back(bytes);
}

/// What is queued now is to be written before the peer's time is over; otherwise a peer that takes a byte now and then keeps all of it.
void TcpConnection::expect_progress() {
    if (std::exchange(waiting_patiently_, true)) return;
    due_bytes_ = written_bytes_ + queue_.bytes();
    if (!patience_) patience_ = std::make_unique<asio::steady_timer>(shard_.io());
    patience_->expires_after(shard_.unread_for_max());
    patience_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (!self || error) return;
        self->waiting_patiently_ = false;
        if (!self->socket_.is_open() || !self->waiting_writable_) return;
        if (self->written_bytes_ < self->due_bytes_) return self->drop_slow("too_long");
        self->expect_progress();
    });
}

void TcpConnection::write() {
    while (!queue_.empty()) {
        std::array<iovec, pieces_per_write> pieces;
        const auto count = queue_.front(pieces.data(), pieces.size());
        const msghdr message{.msg_iov = pieces.data(), .msg_iovlen = count};
        const auto written = count == 1 ? ::send(socket_.native_handle(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL)
                                        : ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
        if (written >= 0) {
            const auto bytes = static_cast<std::size_t>(written);
            queue_.written(bytes);
            written_bytes_ += bytes;
            answered_bytes_ -= std::min(answered_bytes_, bytes);
            if (own_bytes_ > 0) disown(queue_.empty() ? own_bytes_ : std::min(own_bytes_, bytes));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return wait_writable();
        } else if (errno != EINTR) {
            return shut();
        }
    }
    if (closing_ && !draining_) return say_goodbye();
    if (handler_ && std::exchange(tells_when_written_, false)) {
        const auto handler = handler_;  // as in read()
        handler->on_written();
    }
}

void TcpConnection::wait_writable() {
    waiting_writable_ = true;
    expect_progress();
    socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](const boost::system::error_code& error) {
        self->waiting_writable_ = false;
        if (!error) self->write();
    });
}

/// Everything is written. To close now, with bytes of the peer's unread, would reset the connection and take back what the peer
/// has not read of ours (RFC 1122, 4.2.2.13): so first only our half is closed, and what still comes is thrown away for a while.
void TcpConnection::say_goodbye() {
    draining_ = reading_ = true;
    ::shutdown(socket_.native_handle(), SHUT_WR);
    auto timer = std::make_shared<asio::steady_timer>(shard_.io(), goodbye_timeout);
    timer->async_wait([weak = weak_from_this(), timer](const boost::system::error_code&) {
        if (const auto self = weak.lock()) self->shut();
    });
    wait_readable();
    if (const auto handler = std::exchange(handler_, nullptr)) handler->on_closed();
}

void TcpConnection::drain() {
    const auto buffer = shard_.read_buffer();
    const auto got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    const bool later = got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK);
    if (got > 0 || later) wait_readable();
    else shut();
}

void TcpConnection::shut() {
    if (!socket_.is_open()) return;
    const auto self = shared_from_this();  // its handler may be all that keeps it
    closing_ = true;
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    queue_.clear();
    disown(own_bytes_);
    answered_bytes_ = 0;
    if (patience_) patience_->cancel();
    seat_ = {};
    const auto handler = std::exchange(handler_, nullptr);
    if (handler) handler->on_closed();
}

}  // namespace net
