#include "realtime/connection_key.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "auth/token.hpp"
#include "base/base64.hpp"

namespace realtime {

std::string make_connection_key(std::string_view connection_id, std::uint64_t epoch, std::string_view nonce, std::string_view secret) {
    const auto signed_part = fmt::format("{}!{:011x}!{}", connection_id, epoch, nonce);
    const auto mac = auth::hmac_sha256(secret, signed_part).substr(0, 16);
    return signed_part + "!" + base::base64url_encode(mac);
}

std::optional<ConnectionKey> check_connection_key(std::string_view key, std::string_view secret) {
    std::array<std::string_view, 3> parts;  // id, epoch, nonce; behind them the mac
    auto rest = key;
    for (auto& part : parts) {
        const auto end = rest.find('!');
        if (end == rest.npos) return std::nullopt;
        part = rest.substr(0, end);
        rest.remove_prefix(end + 1);
    }
    const auto [id, digits, nonce] = parts;
    ConnectionKey parsed{.connection_id = std::string{id}, .nonce = std::string{nonce}};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.epoch, 16);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (!auth::equal_constant_time(make_connection_key(parsed.connection_id, parsed.epoch, nonce, secret), key)) return std::nullopt;
    return parsed;
}

}  // namespace realtime
