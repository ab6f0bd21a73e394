#pragma once

#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "auth/app.hpp"
#include "auth/revocations.hpp"

namespace auth {

using AppPtr = std::shared_ptr<const App>;

/// A key, and the app that holds it: it stays good when the app is removed meanwhile.
struct KnownKey {
    AppPtr app;
    const Key* key = nullptr;

    explicit operator bool() const { return key != nullptr; }
    const Key& operator*() const { return *key; }
    const Key* operator->() const { return key; }
};

/// A connection's place among those that its app may have, until it is destroyed. An atomic of the app's counts them.
class ConnectionSlot {
public:
    /// Error: account_connection_limit_exceeded.
    static Result<ConnectionSlot> take(AppPtr app);
    ConnectionSlot() = default;
    ~ConnectionSlot();
    ConnectionSlot(ConnectionSlot&& other) noexcept = default;
    ConnectionSlot& operator=(ConnectionSlot&& other) noexcept {
        app_.swap(other.app_);
        return *this;
    }

private:
    explicit ConnectionSlot(AppPtr app) : app_(std::move(app)) {}
    AppPtr app_;
};

/// The apps a server knows. Shared, synchronised: one lock, held for a look-up. They come and go while shards run.
class Apps {
public:
    /// Errors: conflict when there is one of that id, rate_limit_exceeded when there are too many.
    Result<AppPtr> add(App app);
    bool remove(std::string_view id);

    AppPtr find(std::string_view id) const;                    // null when unknown
    KnownKey find_key(std::string_view name) const;            // none when unknown
    /// Compares in constant time. Errors: invalid_credentials; not_found with the status 401 when the app has no such key.
    Result<KnownKey> check(std::string_view key_text) const;
    /// The key whose name this is, which a token says. Errors: invalid_credentials; not_found when there is no such app.
    Result<KnownKey> must_find_key(std::string_view name) const;

    /// Of tokens of any app's keys.
    Revocations& revocations() { return revocations_; }
    const Revocations& revocations() const { return revocations_; }

private:
    Revocations revocations_;
    mutable std::shared_mutex mutex_;
    std::map<std::string, AppPtr, std::less<>> by_id_;
};

}  // namespace auth
