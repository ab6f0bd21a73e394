#include "auth/apps.hpp"

#include <algorithm>
#include <mutex>

#include "auth/token.hpp"

namespace auth {

using base::ErrorCode;

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
    const auto colon = std::min(key_text.find(':'), key_text.size());
    auto known = find_key(key_text.substr(0, colon));
    if (known && colon < key_text.size() && equal_constant_time(known->secret, key_text.substr(colon + 1))) return known;
    return base::fail(ErrorCode::invalid_credentials, "the key is not one of this server's");
}

}  // namespace auth
