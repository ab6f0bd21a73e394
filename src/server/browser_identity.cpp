#include "server/browser_identity.hpp"

#include <fmt/format.h>

#include "auth/token.hpp"
#include "base/base64.hpp"
#include "base/random.hpp"

namespace server {
namespace {

constexpr std::string_view cookie_name = "palimpsest_client=";
constexpr std::size_t client_id_length = 16;
constexpr int max_age_seconds = 400 * 24 * 3600;  // the longest that browsers keep a cookie

std::string signed_value(std::string_view client_id, std::string_view secret) {
    const auto mac = auth::hmac_sha256(secret, fmt::format("cookie:{}", client_id)).substr(0, 16);
    return fmt::format("{}.{}", client_id, base::base64url_encode(mac));
}

}  // namespace

std::optional<std::string> client_id_of(const net::HttpRequest& request, std::string_view secret) {
    auto cookies = request.header("cookie");
    while (!cookies.empty()) {
        auto cookie = cookies.substr(0, cookies.find(';'));
        cookies.remove_prefix(std::min(cookie.size() + 1, cookies.size()));
        while (cookie.starts_with(' ')) cookie.remove_prefix(1);
        if (!cookie.starts_with(cookie_name)) continue;
        cookie.remove_prefix(cookie_name.size());
        const auto client_id = cookie.substr(0, cookie.find('.'));
        if (auth::equal_constant_time(signed_value(client_id, secret), cookie)) return std::string{client_id};
    }
    return std::nullopt;
}

std::string new_client_id() { return base::random_id(client_id_length); }

std::string identity_cookie(const std::string& client_id, std::string_view secret, bool secure, bool cross_site) {
    return fmt::format("{}{}; Path=/; Max-Age={}; HttpOnly; SameSite={}{}", cookie_name, signed_value(client_id, secret), max_age_seconds,
                       cross_site ? "None" : "Lax", secure || cross_site ? "; Secure" : "");
}

}  // namespace server
