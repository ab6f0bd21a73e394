#include "bench/rest.hpp"

#include <charconv>
#include <iterator>

#include <fmt/format.h>
#include <strings.h>

#include "base/base64.hpp"

namespace bench {

void append_upgrade(std::string& out, std::string_view host, std::string_view path, std::string_view subprotocol) {
    const auto offer = subprotocol.empty() ? std::string{} : fmt::format("Sec-WebSocket-Protocol: {}\r\n", subprotocol);
    fmt::format_to(std::back_inserter(out),
                   "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{}\r\n",
                   path, host, offer);
}

void append_rest_publish(std::string& out, std::string_view host, std::string_view key, std::string_view channel,
                         std::string_view payload) {
    const auto body = fmt::format(R"({{"data":"{}"}})", payload);
    fmt::format_to(
        std::back_inserter(out),
        "POST /channels/{}/messages HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\n\r\n{}",
        channel, host, base::base64_encode(key), body.size(), body);
}

std::optional<int> take_response(std::string_view& bytes) {
    constexpr std::string_view end_of_head = "\r\n\r\n";
    const auto head = bytes.substr(0, bytes.find(end_of_head));
    if (head.size() == bytes.size()) return std::nullopt;
    std::size_t body_bytes = 0;
    for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
        constexpr std::string_view name = "content-length:";
        const auto line = head.substr(at + 2);
        if (line.size() <= name.size() || strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
        const auto digits = line.substr(line.find_first_not_of(' ', name.size()));
        std::from_chars(digits.data(), digits.data() + digits.size(), body_bytes);
    }
    const auto size = head.size() + end_of_head.size() + body_bytes;
    if (bytes.size() < size) return std::nullopt;
    int status = 0;
    if (head.size() >= 12) std::from_chars(head.data() + 9, head.data() + 12, status);
    bytes.remove_prefix(size);
    return status;
}

}  // namespace bench
