#include "app/pubsub.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace app {
namespace {

/// Adds the configured keys, or the one kept in the data folder; returns the first.
const auth::Key* add_keys(auth::KeyStore& keys, const Config& config, const Secrets& secrets) {
    auto wanted = config.keys;
    if (wanted.empty()) wanted.push_back({.key = secrets.api_key});
    for (const auto& each : wanted) {
        const auto capability = auth::Capability::parse(each.capability);
        if (!capability) throw std::runtime_error(fmt::format("a key's capability: {}", capability.error().message));
        if (const auto added = keys.add(each.key, *capability); !added)
            throw std::runtime_error(fmt::format("a key: {}", added.error().message));
    }
    return keys.find(std::string_view{wanted.front().key}.substr(0, wanted.front().key.find(':')));
}

}  // namespace

PubSub::PubSub(const Config& config, const Secrets& secrets, std::function<bool()> ready)
    : facts_{.keys = keys_,
             .server_id = base::random_id(10),
             .connection_secret = secrets.connection_secret,
             .epoch = static_cast<std::uint64_t>(base::to_ms(base::now()))},
      site_{.keys = keys_, .browser_auth = {}, .cors_origins = config.cors_origins, .files = {}, .nonces = {}, .ready = std::move(ready)} {
    const auto* first = add_keys(keys_, config, secrets);
    app_id_ = first->app_id();
    if (config.browser_auth) {
        if (const auto capability = auth::Capability::parse(config.browser_capability); !capability) {
            throw std::runtime_error(fmt::format("auth.capability: {}", capability.error().message));
        }
        site_.browser_auth = {.key = first, .capability_template = config.browser_capability, .cookie_secret = secrets.cookie_secret};
    }
    if (!config.web.empty()) site_.files = server::StaticFiles{config.web};
}

}  // namespace app
