#include "server/browser_auth.hpp"

#include "server/browser_identity.hpp"
#include "server/credentials.hpp"

namespace server {

using base::Result;

Result<auth::Capability> capability_of(const BrowserAuth& browsers, const std::string& client_id) {
    constexpr std::string_view place = "<clientId>";
    auto text = browsers.capability_template;
    for (auto at = text.find(place); at != text.npos; at = text.find(place, at + client_id.size())) {
        text.replace(at, place.size(), client_id);
    }
    return auth::Capability::parse(text);
}

Result<auth::Identity> identify_reader(const net::HttpRequest& request, const auth::Apps& apps, const std::optional<BrowserAuth>& browsers,
                                       base::Time now) {
    if (!browsers || has_credentials(request)) return identify(request, apps, now);
    auto client_id = client_id_of(request, browsers->cookie_secret).value_or(new_client_id());
    const auto wanted = capability_of(*browsers, client_id);
    if (!wanted) return std::unexpected(wanted.error());
    return auth::Identity{.app = browsers->key.app,
                          .key_name = browsers->key->name,
                          .client_id = std::move(client_id),
                          .capability = wanted->intersect(browsers->key->capability),
                          .expires = now + auth::token_ttl_default};
}

}  // namespace server
