#include "realtime/connection_key.hpp"

#include <charconv>

#include <fmt/format.h>

#include "auth/token.hpp"
#include "base/base64.hpp"

namespace realtime {

std::string make_connection_key(std::string_view connection_id, std::uint64_t epoch, std::string_view secret) {
    const auto signed_part = fmt::format("{}!{:011x}", connection_id, epoch);
    const auto mac = auth::hmac_sha256(secret, signed_part).substr(0, 16);
    return signed_part + "!" + base::base64url_encode(mac);
}

std::optional<ConnectionKey> check_connection_key(std::string_view key, std::string_view secret) {
    const auto first = key.find('!');
    const auto second = first == key.npos ? key.npos : key.find('!', first + 1);
    if (second == key.npos) return std::nullopt;
    ConnectionKey parsed{.connection_id = std::string{key.substr(0, first)}};
    const auto digits = key.substr(first + 1, second - first - 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.epoch, 16);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (!auth::equal_constant_time(make_connection_key(parsed.connection_id, parsed.epoch, secret), key)) return std::nullopt;
    return parsed;
}

}  // namespace realtime
