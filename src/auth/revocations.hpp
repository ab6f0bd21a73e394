#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/capability.hpp"
#include "base/clock.hpp"

/// Tokens that are good no longer, although they have not expired (RSA17; Ably's documentation, "Token revocation").
namespace auth {

using base::Time;

/// How long a token lives whose key has revocable tokens: what was issued before a revocation is forgotten with it after this.
inline constexpr auto revocable_token_ttl_max = std::chrono::hours{1};

/// Of one key's tokens, those that a target names and that were issued earlier than a time.
struct Revocation {
    std::string key_name;
    std::string target;  // `type:value`
    Time issued_before;
    Time applies_at;
    friend bool operator==(const Revocation&, const Revocation&) = default;
};

/// `clientId:…`, `revocationKey:…` or `channel:…`. Error: bad_request.
Result<void> check_revocation_target(std::string_view target);

/// What a token can be revoked by, besides what it may do.
struct RevocableToken {
    Time issued;
    std::string client_id;       // its own: of a wildcard token "*", whoever the connection is
    std::string revocation_key;  // claim x-ably-revocation-key
    friend bool operator==(const RevocableToken&, const RevocableToken&) = default;
};

/// Where revocations are kept beyond the process. Called by one thread at a time.
class RevocationLog {
public:
    virtual ~RevocationLog() = default;
    /// When it returns, they outlive the process. Error: internal_error.
    virtual Result<void> append(std::span<const Revocation> added) = 0;
    virtual Result<void> replace(std::span<const Revocation> all) = 0;
};

/// All that could concern a token that has not expired. Shared, synchronised: one lock, held for a look-up and, when something is
/// revoked, for the log's write.
class Revocations {
public:
    /// Takes those of the process before us, and keeps what comes in the log. Before the shards start.
    Result<void> keep_in(std::unique_ptr<RevocationLog> log, std::vector<Revocation> before, Time now);

    /// All or none. Errors: rate_limit_exceeded when there are too many, and the log's.
    Result<void> add(std::span<const Revocation> revocations, Time now);

    /// From when on the token is good no longer: nothing when no revocation concerns it. A `channel` target names a resource of
    /// the capability, letter by letter.
    std::optional<Time> revoked_from(std::string_view key_name, const RevocableToken& token, const Capability& capability) const;

private:
    struct Term {
        Time issued_before, applies_at;
    };
    void put(const Revocation& revocation);
    void forget_expired(Time now);
    std::vector<Revocation> all() const;
    void find_earliest(std::string_view key_name, std::string_view type, std::string_view value, Time issued,
                       std::optional<Time>& earliest) const;

    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, std::vector<Term>> by_target_;  // by key name, a space and the target
    std::size_t size_ = 0;
    std::unique_ptr<RevocationLog> log_;
    std::size_t logged_ = 0;  // revocations in the log, forgotten ones too
};

}  // namespace auth
