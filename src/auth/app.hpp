#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/capability.hpp"
#include "base/limits.hpp"

namespace auth {

/// How long a token lives at most, from its iat to its exp, unless its key says another time; 40003.
inline constexpr std::chrono::seconds token_ttl_max = std::chrono::hours{24};
inline constexpr std::size_t token_ttl_seconds_max = 31'536'000;  // what a key may say: a year

/// An API key: `appId.keyId:secret`.
struct Key {
    std::string name;    // appId.keyId
    std::string secret;  // never logged, never sent
    Capability capability = Capability::all();
    bool revocable_tokens = false;  // its tokens can be revoked, and live an hour at most (Ably's documentation, "Token revocation")
    std::chrono::seconds token_ttl_max = auth::token_ttl_max;  // how long its tokens live at most, whoever made them

    std::string_view app_id() const { return std::string_view{name}.substr(0, name.find('.')); }
    std::string key_id() const { return name.substr(name.find('.') + 1); }
};

/// Error: invalid_credentials when the text is not `appId.keyId:secret`.
Result<Key> parse_key(std::string_view key_text, Capability capability = Capability::all());

/// What an app's clients may use. Of rates, 0 is no limit.
struct AppLimits {
    std::size_t connections = base::limits::connections_per_app_max;
    std::size_t channels_per_connection = base::limits::channels_per_connection_max;
    std::size_t message_bytes = base::limits::message_bytes_max;
    std::size_t inbound_per_connection = 0;  // messages a second
    std::size_t inbound_per_channel = 0;
    std::size_t presence_members_per_channel = base::limits::presence_members_per_channel_max;
    std::size_t outbound_bytes = base::limits::outbound_bytes_max;  // that wait for one connection

    friend bool operator==(const AppLimits&, const AppLimits&) = default;
};

/// How a limit is called where apps are configured, and what it can be.
struct LimitSetting {
    std::string_view name;
    std::size_t AppLimits::* limit;
    std::size_t least, most;
};
std::span<const LimitSetting> limit_settings();

/// What channels of one name prefix are for (Ably's documentation, "Channel namespaces", "Channel rules").
struct Namespace {
    std::string id;
    bool persisted = false;         // its messages outlive the retention window
    bool mutable_messages = false;  // they may be updated, deleted and appended to, and annotated
    bool push_enabled = false;

    friend bool operator==(const Namespace&, const Namespace&) = default;
};

/// Keys and settings that belong together, and channels that no other app sees. Shared, immutable once Apps has it.
struct App {
    std::string id;
    std::string account_id;
    AppLimits limits;
    Namespace default_namespace;  // of channels that no other one names
    std::vector<Namespace> namespaces;
    std::vector<Key> keys;
    /// The connections there are, on all shards: all that changes here. See ConnectionSlot.
    std::unique_ptr<std::atomic<std::size_t>> connections = std::make_unique<std::atomic<std::size_t>>(0);

    /// Error: invalid_credentials for a key of another app, or a name that is there already.
    Result<void> add(Key key);
    const Key* key(std::string_view name) const;  // null when unknown
    /// The one whose id is the channel's name up to the first ':', or all of it. `channel` may have a qualifier in front.
    const Namespace& namespace_of(std::string_view channel) const;
};

}  // namespace auth
