#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace server {

/// The names that browsers may know us by. A page of evil.example whose name suddenly means our address is of one origin with us, as its
/// browser sees it, and could ask for a token in the name of whoever looks at it (DNS rebinding); but it cannot hide its name: it is in
/// the Host header. Shared, immutable.
class AllowedHosts {
public:
    /// Any name.
    AllowedHosts() = default;
    /// Names and addresses without a port. "*.example.org": all below it; "*": any.
    explicit AllowedHosts(const std::vector<std::string>& names);
    /// By default: the address that is listened on, this machine's name, and localhost; where all addresses are listened on, any
    /// address. An address is no name that could come to mean another.
    static AllowedHosts of_listener(const std::string& listen_host, const std::vector<std::string>& more);

    /// `authority` is a Host header's value.
    bool allows(std::string_view authority) const;

private:
    bool any_ = true, any_address_ = false;
    std::vector<std::string> names_;  // in lower case
};

}  // namespace server
