#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"

/// A browser's clientId, kept by the browser in a signed cookie, so that after a reload it is still the author of its messages.
/// Nothing is stored here.
///   cookie := "palimpsest_client=" clientId '.' mac:base64url22        (HMAC-SHA256, first 16 bytes)
namespace server {

/// The clientId of a cookie that we signed.
std::optional<std::string> client_id_of(const net::HttpRequest& request, std::string_view secret);
std::string new_client_id();

/// The Set-Cookie value. `cross_site`: the page is served from elsewhere, over TLS.
std::string identity_cookie(const std::string& client_id, std::string_view secret, bool secure, bool cross_site);

}  // namespace server
