#include "net/tcp_connection.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <boost/asio/steady_timer.hpp>

#include "base/log.hpp"

namespace net {

namespace {

constexpr std::size_t pieces_per_write = 256;
constexpr int reads_per_turn = 4;  // then others get their turn
constexpr std::chrono::seconds goodbye_timeout{2};
constexpr unsigned unacknowledged_timeout_ms = 20'000;  // a peer that vanished is noticed by what it does not acknowledge

}  // namespace

TcpConnection::TcpConnection(Shard& shard, asio::ip::tcp::socket socket, std::size_t queued_bytes_max)
    : shard_(shard), socket_(std::move(socket)), queued_bytes_max_(queued_bytes_max) {
    boost::system::error_code ignored;  // a socket that is gone already says so at the first read
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    shard_.enter(*this);
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_timeout_ms, sizeof unacknowledged_timeout_ms);
}

TcpConnection::~TcpConnection() { shard_.leave(*this); }

MovingConnection::~MovingConnection() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::shared_ptr<TcpConnection> TcpConnection::arrive(Shard& shard, MovingConnection moving, std::size_t queued_bytes_max) {
    asio::ip::tcp::socket socket{shard.io()};
    boost::system::error_code error;  // then it is not open, which the first wait tells
    socket.assign(moving.protocol_, moving.descriptor_, error);
    if (!error) moving.descriptor_ = -1;
    auto connection = std::make_shared<TcpConnection>(shard, std::move(socket), queued_bytes_max);
    connection->send(std::move(moving.unwritten_));
    return connection;
}

MovingConnection TcpConnection::leave() {
    std::string unwritten;
    for (const auto& piece : queue_) unwritten += *piece;
    unwritten.erase(0, front_written_);
    queue_.clear();
    handler_ = nullptr;
    boost::system::error_code error;
    const auto protocol = socket_.local_endpoint(error).protocol();
    const auto descriptor = socket_.release(error);  // what waits for it is told that it is over
    return {protocol, error ? -1 : descriptor, std::move(unwritten)};
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
    for (int i = 0; i < reads_per_turn && reading_ && !closing_; ++i) {
        const auto buffer = shard_.read_buffer();
        const auto got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (got <= 0) return shut();
        // The handler may hand over, or close: neither may pull it from under its own feet.
        const auto handler = handler_;
        handler->on_bytes(buffer.first(static_cast<std::size_t>(got)));
        if (!socket_.is_open() || static_cast<std::size_t>(got) < buffer.size()) break;
    }
    if (socket_.is_open() && !closing_) wait_readable();
}

void TcpConnection::send(Bytes bytes) {
    if (closing_ || bytes->empty()) return;
    queued_bytes_ += bytes->size();
    if (queued_bytes_ <= queued_bytes_max_) queue_.push_back(std::move(bytes));
    if (std::exchange(flush_scheduled_, true)) return;
    shard_.flush_soon(shared_from_this());
}

void TcpConnection::close() {
    if (std::exchange(closing_, true)) return;
    if (!std::exchange(flush_scheduled_, true)) shard_.flush_soon(shared_from_this());
}

void TcpConnection::flush() {
    flush_scheduled_ = false;
    if (!socket_.is_open()) return;
    if (queued_bytes_ > queued_bytes_max_) {
        base::log::info("at=slow_reader peer={} queued_bytes={}", peer_address(), queued_bytes_);
        return shut();
    }
    if (!waiting_writable_) write();
}

void TcpConnection::write() {
    while (!queue_.empty()) {
        std::array<iovec, pieces_per_write> pieces;
        std::size_t count = 0;
        for (auto piece = queue_.begin(); piece != queue_.end() && count < pieces.size(); ++piece, ++count) {
            const auto skip = count == 0 ? front_written_ : 0;
            pieces[count] = {.iov_base = const_cast<char*>((*piece)->data() + skip), .iov_len = (*piece)->size() - skip};
        }
        const msghdr message{.msg_iov = pieces.data(), .msg_iovlen = count};
        auto written = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return shut();
        if (written < 0) {
            waiting_writable_ = true;
            socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](const boost::system::error_code& error) {
                self->waiting_writable_ = false;
                if (!error) self->write();
            });
            return;
        }
        queued_bytes_ -= static_cast<std::size_t>(written);
        for (auto left = static_cast<std::size_t>(written); left > 0;) {
            const auto rest = queue_.front()->size() - front_written_;
            if (left < rest) {
                front_written_ += left;
                break;
            }
            left -= rest;
            front_written_ = 0;
            queue_.pop_front();
        }
    }
    if (closing_ && !draining_) say_goodbye();
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
    closing_ = true;
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    queue_.clear();
    const auto handler = std::exchange(handler_, nullptr);
    if (handler) handler->on_closed();
}

}  // namespace net
