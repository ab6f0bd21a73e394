#include "server/allowed_hosts.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include <boost/asio/ip/address.hpp>

#include "net/http_fields.hpp"

namespace server {

namespace {

bool is_address(std::string_view host) {
    boost::system::error_code error;
    boost::asio::ip::make_address(std::string{host}, error);
    return !error;
}

/// "Name.:8080" is of "name", "[::1]:8080" of "::1".
std::string host_of(std::string_view authority) {
    authority = net::trimmed(authority);
    if (authority.starts_with('[')) return net::lower_case(authority.substr(1, authority.find(']') - 1));
    auto host = is_address(authority) ? authority : authority.substr(0, authority.rfind(':'));
    if (host.ends_with('.')) host.remove_suffix(1);
    return net::lower_case(host);
}

std::string machine_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{};
}

}  // namespace

AllowedHosts::AllowedHosts(const std::vector<std::string>& names) : any_(false) {
    for (const auto& each : names) {
        if (each == "*") any_ = true;
        names_.push_back(host_of(each));
    }
}

AllowedHosts AllowedHosts::of_listener(const std::string& listen_host, const std::vector<std::string>& more) {
    auto names = more;
    names.insert(names.end(), {"localhost", "127.0.0.1", "[::1]", machine_name(), listen_host});
    AllowedHosts hosts{names};
    hosts.any_address_ = listen_host == "0.0.0.0" || listen_host == "::" || listen_host.empty();
    return hosts;
}

bool AllowedHosts::allows(std::string_view authority) const {
    if (any_) return true;
    const auto host = host_of(authority);
    if (host.empty()) return false;
    if (any_address_ && is_address(host)) return true;
    return std::ranges::any_of(names_, [&](std::string_view name) {
        return name.starts_with("*.") ? host.size() > name.size() - 1 && host.ends_with(name.substr(1)) : name == host;
    });
}

}  // namespace server
