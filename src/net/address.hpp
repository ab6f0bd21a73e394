#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace net {

/// An IPv6 address, or an IPv4 one as IPv6 maps it (::ffff:a.b.c.d). All zero: unknown.
struct Address {
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(const Address&, const Address&) = default;

    /// Of what a header may have: an address, with or without brackets and port.
    static std::optional<Address> parse(std::string_view text);
    /// Of a socket's other end; unknown when it is gone.
    static Address of_peer(int socket);

    bool is_v4() const;
    /// Whom limits count as one client: an IPv4 address, or the /64 of an IPv6 one, which is what a household is given.
    Address counted() const;
    std::string to_string() const;
};

struct AddressHash {
    std::size_t operator()(const Address& address) const {
        return std::hash<std::string_view>{}({reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
    }
};

/// A block of addresses, as 10.0.0.0/8, fd00::/8 or a single address.
class Cidr {
public:
    static std::optional<Cidr> parse(std::string_view text);
    bool contains(const Address& address) const;

private:
    Address base_;
    unsigned bits_ = 128;
};

bool contains(const std::vector<Cidr>& blocks, const Address& address);

/// The client behind `peer`: when that is one of `proxies`, the last address in X-Forwarded-For that is none of them. What is not
/// readable there is the proxy's own.
Address client_behind(const Address& peer, std::string_view forwarded_for, const std::vector<Cidr>& proxies);

}  // namespace net
