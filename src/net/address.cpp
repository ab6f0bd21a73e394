#include "net/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace net {
namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Address from_v4(const in_addr& v4) {
    Address address;
    std::ranges::copy(mapped, address.bytes.begin());
    std::memcpy(address.bytes.data() + mapped.size(), &v4, sizeof v4);
    return address;
}

std::optional<Address> parse_plain(std::string_view text) {
    const std::string terminated{text.substr(0, text.find('%'))};  // a zone says which link, which is ours alone
    in_addr v4;
    if (::inet_pton(AF_INET, terminated.c_str(), &v4) == 1) return from_v4(v4);
    Address address;
    if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
    return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\"");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\"") - first + 1);
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        return end == text.npos ? std::nullopt : parse_plain(text.substr(1, end - 1));
    }
    if (std::ranges::count(text, ':') == 1) text = text.substr(0, text.find(':'));
    return parse_plain(text);
}

Address Address::of_peer(int socket) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
    if (peer.ss_family == AF_INET) return from_v4(reinterpret_cast<const sockaddr_in*>(&peer)->sin_addr);
    Address address;
    if (peer.ss_family == AF_INET6) {
        std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_addr, address.bytes.size());
    }
    return address;
}

bool Address::is_v4() const { return std::equal(mapped.begin(), mapped.end(), bytes.begin()); }

Address Address::counted() const {
    auto counted = *this;
    if (!is_v4()) std::fill(counted.bytes.begin() + 8, counted.bytes.end(), std::uint8_t{0});
    return counted;
}

std::string Address::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4()) ::inet_ntop(AF_INET, bytes.data() + mapped.size(), text.data(), text.size());
    else ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    return text.data();
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
    const auto slash = std::min(text.find('/'), text.size());
    const auto base = parse_plain(text.substr(0, slash));
    if (!base) return std::nullopt;
    Cidr cidr;
    cidr.base_ = *base;
    if (slash == text.size()) return cidr;
    const unsigned most = base->is_v4() ? 32 : 128;
    unsigned bits = 0;
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc{} || at != end || bits > most) return std::nullopt;
    cidr.bits_ = 128 - most + bits;
    return cidr;
}

bool Cidr::contains(const Address& address) const {
    const auto whole = bits_ / 8, rest = bits_ % 8;
    if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, base_.bytes.begin())) return false;
    return rest == 0 || ((address.bytes[whole] ^ base_.bytes[whole]) >> (8 - rest)) == 0;
}

bool contains(const std::vector<Cidr>& blocks, const Address& address) {
    return std::ranges::any_of(blocks, [&](const Cidr& each) { return each.contains(address); });
}

Address client_behind(const Address& peer, std::string_view forwarded_for, const std::vector<Cidr>& proxies) {
    auto client = peer;
    while (contains(proxies, client) && !forwarded_for.empty()) {
        const auto comma = forwarded_for.rfind(',');
        const auto last = comma == forwarded_for.npos ? forwarded_for : forwarded_for.substr(comma + 1);
        const auto named = Address::parse(last);
        if (!named) return client;
        client = *named;
        forwarded_for = comma == forwarded_for.npos ? std::string_view{} : forwarded_for.substr(0, comma);
    }
    return client;
}

}  // namespace net
