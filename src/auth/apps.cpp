#include "auth/apps.hpp"

#include <algorithm>
#include <mutex>

#include "auth/token.hpp"

namespace auth {

using base::ErrorCode;

namespace {
base::Error wrong_key() { return {ErrorCode::invalid_credentials, "the key is not one of this server's"}; }
base::Error unknown_key(std::string_view name) {
    return {.code = ErrorCode::not_found, .message = fmt::format("No key found with name {}", name), .status = 401};
}
}  // namespace

Result<ConnectionSlot> ConnectionSlot::take(AppPtr app) {
    auto& count = *app->connections;
    const auto most = app->limits.connections;
    if (count.fetch_add(1) < most) return ConnectionSlot{std::move(app)};
    count.fetch_sub(1);
    return base::fail(ErrorCode::account_connection_limit_exceeded, "The app has as many connections as it may: {}", most);
}

ConnectionSlot::~ConnectionSlot() {
    if (app_) app_->connections->fetch_sub(1);
}

Result<AppPtr> Apps::add(App app) {
    auto shared = std::make_shared<const App>(std::move(app));
    const std::unique_lock lock{mutex_};
    if (by_id_.size() >= base::limits::apps_max) {
        return base::fail(ErrorCode::rate_limit_exceeded, "there are as many apps as there may be");
    }
    if (!by_id_.try_emplace(shared->id, shared).second) return base::fail(ErrorCode::conflict, "there is an app {} already", shared->id);
    return shared;
}

bool Apps::remove(std::string_view id) {
    const std::unique_lock lock{mutex_};
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return false;
    by_id_.erase(found);
    return true;
}

AppPtr Apps::find(std::string_view id) const {
    const std::shared_lock lock{mutex_};
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

KnownKey Apps::find_key(std::string_view name) const {
    auto app = find(name.substr(0, name.find('.')));
    const auto* key = app ? app->key(name) : nullptr;
    if (!key) return {};
    return {.app = std::move(app), .key = key};
}

Result<KnownKey> Apps::check(std::string_view key_text) const {
    const auto colon = key_text.find(':');
    const auto name = key_text.substr(0, colon);
    const auto dot = name.find('.');
    // Only who signs a token can know of an app that is gone: of a key, a wrong app is a wrong key.
    auto app = colon == key_text.npos || dot == name.npos ? nullptr : find(name.substr(0, dot));
    if (!app) return std::unexpected(wrong_key());
    const auto* key = app->key(name);
    if (!key) return std::unexpected(unknown_key(name));
    if (!equal_constant_time(key->secret, key_text.substr(colon + 1))) return std::unexpected(wrong_key());
    return KnownKey{.app = std::move(app), .key = key};
}

Result<KnownKey> Apps::must_find_key(std::string_view name) const {
    const auto dot = name.find('.');
    if (dot == 0 || dot == name.npos) return std::unexpected(wrong_key());
    const auto app_id = name.substr(0, dot);
    auto app = find(app_id);
    if (!app) return base::fail(ErrorCode::not_found, "No application found with id {}", app_id);
    const auto* key = app->key(name);
    if (!key) return std::unexpected(wrong_key());
    return KnownKey{.app = std::move(app), .key = key};
}

}  // namespace auth
