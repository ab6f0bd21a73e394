#include "net/listener.hpp"

#include <sys/socket.h>

#include <stdexcept>

#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/log.hpp"

namespace net {

using asio::ip::tcp;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

Listener::Listener(Shard& shard, const std::string& host, std::uint16_t port, bool first, OnAccept on_accept)
    : shard_(shard), acceptor_(shard.io()), on_accept_(std::move(on_accept)) {
    try {
        listen(host, port, first);
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error(fmt::format("cannot listen on {}:{}: {}", host, port, error.code().message()));
    }
}

void Listener::listen(const std::string& host, std::uint16_t port, bool first) {
    tcp::resolver resolver{shard_.io()};
    const auto endpoint = resolver.resolve(host, std::to_string(port), tcp::resolver::passive).begin()->endpoint();
    if (first) {  // SO_REUSEPORT would share the port with another process as gladly as with another shard
        tcp::acceptor probe{shard_.io(), endpoint.protocol()};
        probe.set_option(tcp::acceptor::reuse_address{true});
        probe.bind(endpoint);
        probe.listen();
    }
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address{true});
    acceptor_.set_option(ReusePort{true});
    acceptor_.bind(endpoint);
    acceptor_.listen(tcp::acceptor::max_listen_connections);
    port_ = acceptor_.local_endpoint().port();
}

void Listener::start() { accept(); }

void Listener::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

void Listener::accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
        if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
        if (!error) {
            on_accept_(std::move(socket));
            return accept();
        }
        // Most likely out of file descriptors: those that close make room.
        base::log::warn("at=accept_failed error=\"{}\"", error.message());
        auto timer = std::make_shared<asio::steady_timer>(shard_.io(), std::chrono::milliseconds{100});
        timer->async_wait([this, timer](const boost::system::error_code&) {
            if (acceptor_.is_open()) accept();
        });
    });
}

}  // namespace net
