#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <netinet/in.h>

namespace bench {

/// Where the server is. Throws std::runtime_error for a host that has no IPv4 address.
struct Endpoint {
    std::string host;
    std::uint16_t port = 0;

    sockaddr_in address() const;
};

/// A TCP connection without blocking. What the socket does not take waits, in order, for flush().
class Link {
public:
    /// Begins to connect. To the loopback, the `nth` of many comes from an address that it shares with a few thousand only: the
    /// kernel looks long for a free port of one that has few left.
    explicit Link(const sockaddr_in& to, std::size_t nth = 0);
    /// Leaves nothing behind: no TIME_WAIT to fill the ports of a machine that measures thousands of connections again and again.
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    int fd() const { return fd_; }
    void queue(std::string_view bytes) { out_ += bytes; }
    std::string& out() { return out_; }
    std::size_t queued_bytes() const { return out_.size() - written_; }
    /// False when the connection has broken.
    bool flush();
    /// What there is, up to the size of `into`: 0 when there is nothing yet, -1 when the connection has ended.
    std::ptrdiff_t read(std::span<char> into);

private:
    int fd_;
    std::string out_;
    std::size_t written_ = 0;  // of out_
};

}  // namespace bench
