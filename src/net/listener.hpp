#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "net/shard.hpp"

namespace net {

/// One shard's share of a listening address: each shard binds the same port and the kernel spreads connections over them
/// (SO_REUSEPORT). Construct on the main thread before the shard starts: throws std::runtime_error, saying why, when the
/// address cannot be had. Everything else on the shard.
class Listener {
public:
    using OnAccept = std::function<void(asio::ip::tcp::socket)>;

    /// Port 0 takes any free one. `first`: of this process, so that the address must not be somebody else's already.
    Listener(Shard& shard, const std::string& host, std::uint16_t port, bool first, OnAccept on_accept);

    void start();  // on the shard
    void stop();   // on the shard
    std::uint16_t port() const { return port_; }

private:
    void listen(const std::string& host, std::uint16_t port, bool first);
    void accept();

    Shard& shard_;
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_ = 0;
    OnAccept on_accept_;
};

}  // namespace net
