#pragma once

#include <optional>
#include <string>

#include "auth/token.hpp"
#include "net/http.hpp"

namespace server {

/// What browsers are given by GET /auth.
struct BrowserAuth {
    auth::KnownKey key;
    /// What a browser may do, with "<clientId>" where its own goes.
    std::string capability_template;
    std::string cookie_secret;  // signs the clientId that a browser keeps
};

/// What the browser that is this client may ask for; the key may have less. Error: bad_request, of a template that makes no capability.
base::Result<auth::Capability> capability_of(const BrowserAuth& browsers, const std::string& client_id);

/// Who a request of a page is from: the owner of the credentials that it brings or, when it brings none, who the browser would be
/// with a token of GET /auth, if browsers get those. Errors: as identify().
base::Result<auth::Identity> identify_reader(const net::HttpRequest& request, const auth::Apps& apps,
                                             const std::optional<BrowserAuth>& browsers, base::Time now);

}  // namespace server
