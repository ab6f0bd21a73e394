#include "bench/link.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {
namespace {

constexpr std::uint32_t loopback_net = 127;
constexpr std::size_t clients_per_address = 4'000;

/// The `nth` address of the loopback after 127.0.0.1, with any port that is free towards where we connect.
void come_from(int fd, std::size_t nth) {
    const int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(nth));
    sockaddr_storage any{};
    std::memcpy(&any, &from, sizeof from);
    bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof from);  // or from the usual one
}

}  // namespace

sockaddr_in Endpoint::address() const {
    addrinfo hints{}, *found = nullptr;
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
        throw std::runtime_error(fmt::format("{}: {}", host, gai_strerror(error)));
    }
    sockaddr_in address{};
    std::memcpy(&address, found->ai_addr, sizeof address);
    freeaddrinfo(found);
    address.sin_port = htons(port);
    return address;
}

Link::Link(const sockaddr_in& to, std::size_t nth) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) throw std::runtime_error(fmt::format("no more sockets: {}", std::strerror(errno)));
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (ntohl(to.sin_addr.s_addr) >> 24 == loopback_net) come_from(fd_, nth / clients_per_address);
    sockaddr_storage any{};
    std::memcpy(&any, &to, sizeof to);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&any), sizeof to) != 0 && errno != EINPROGRESS) {
        const int error = errno;
        close(fd_);
        throw std::runtime_error(fmt::format("cannot connect: {}", std::strerror(error)));
    }
}

Link::~Link() {
    const linger reset{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd_);
}

bool Link::flush() {
    while (written_ < out_.size()) {
        const auto sent = ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno == EAGAIN;
        written_ += static_cast<std::size_t>(sent);
    }
    out_.clear();
    written_ = 0;
    return true;
}

std::ptrdiff_t Link::read(std::span<char> into) {
    for (;;) {
        const auto got = recv(fd_, into.data(), into.size(), 0);
        if (got > 0) return got;
        if (got == 0) return -1;
        if (errno != EINTR) return errno == EAGAIN ? 0 : -1;
    }
}

}  // namespace bench
