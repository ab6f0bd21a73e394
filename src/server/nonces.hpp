#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include "base/budget.hpp"
#include "base/clock.hpp"
#include "base/resource_limits.hpp"

namespace server {

/// The nonces of token requests that were exchanged (RSA9f): each is good once. A nonce is kept for as long as its request would be
/// taken, as a digest: how long it is costs nothing. Shared, synchronised by its own mutex: once per client session, on whichever
/// shard the request came in.
class Nonces {
public:
    enum class Use : std::uint8_t { first, again, full };

    /// `expires`: from then on the request is too old to be taken. Full: limits::nonces_per_key_max of this key, or its share of
    /// limits::nonces_max, are kept; this nonce is not used then.
    Use use(const std::string& key_name, const std::string& nonce, base::Time expires, base::Time now);

    std::size_t size() const;

private:
    using Digest = std::array<unsigned char, 16>;
    struct Kept {
        base::Time expires;
        const std::string* key_name;  // in used_
        Digest digest;
        friend auto operator<=>(const Kept&, const Kept&) = default;
    };
    void forget_expired(base::Time now);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::set<Digest>> used_;  // by key name
    std::set<Kept> by_expiry_;
    base::Budget budget_{base::limits::nonces_max};
};

}  // namespace server
