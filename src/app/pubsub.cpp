#include "app/pubsub.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "app/revocation_file.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/resource_limits.hpp"

namespace app {
namespace {

template <class T>
T must(std::string_view what, base::Result<T> result) {
    if (!result) throw std::runtime_error(fmt::format("{}: {}", what, result.error().message));
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

std::size_t memory_bytes(const Config& config) {
    if (config.memory_bytes > 0) return config.memory_bytes;
    return std::max(base::limits::memory_bytes_min, base::memory_available() / 100 * base::limits::memory_default_percent);
}

/// Adds the apps of the configured keys, or of the one kept in the data folder; returns the first key.
auth::KnownKey add_apps(auth::Apps& apps, const Config& config, const Secrets& secrets) {
    auto wanted = config.keys;
    if (wanted.empty()) wanted.push_back({.key = secrets.api_key});
    std::map<std::string, auth::App, std::less<>> by_id;
    std::string first;
    for (const auto& each : wanted) {
        auto key = must("a key", auth::parse_key(each.key, must("a key's capability", auth::Capability::parse(each.capability))));
        key.revocable_tokens = each.revocable;
        key.token_ttl_max = each.token_ttl_max;
        if (first.empty()) first = key.name;
        auto& app = by_id[std::string{key.app_id()}];
        app.id = key.app_id();
        app.limits = config.limits;
        app.default_namespace.mutable_messages = true;
        app.namespaces = config.namespaces;
        must("a key", app.add(std::move(key)));
    }
    for (auto& [id, app] : by_id) must("an app", apps.add(std::move(app)));
    return apps.find_key(first);
}

}  // namespace

PubSub::PubSub(const Config& config, const Secrets& secrets, std::function<bool()> ready)
    : memory_(memory_bytes(config)),
      facts_{.apps = apps_,
             .server_id = base::random_id(10),
             .connection_secret = secrets.connection_secret,
             .epoch = static_cast<std::uint64_t>(base::to_ms(base::now())),
             .memory = &memory_},
      site_{.apps = apps_, .browser_auth = {}, .cors_origins = config.cors_origins, .files = {}, .nonces = {}, .ready = std::move(ready)} {
    const auto first = add_apps(apps_, config, secrets);
    auto file = std::make_unique<RevocationFile>(config.data / "revocations");
    auto before = file->read();
    must("revocations", apps_.revocations().keep_in(std::move(file), std::move(before), base::now()));
    app_id_ = first.app->id;
    if (config.browser_auth) {
        must("auth.capability", auth::Capability::parse(config.browser_capability));
        site_.browser_auth = {.key = first, .capability_template = config.browser_capability, .cookie_secret = secrets.cookie_secret};
    }
    site_.hosts = server::AllowedHosts::of_listener(config.listen_host, config.hosts);
    site_.metrics_elsewhere = !config.metrics_host.empty();
    site_.websocket_compression = config.websocket_compression;
    if (!config.web.empty()) site_.files = server::StaticFiles{config.web};
}

}  // namespace app
