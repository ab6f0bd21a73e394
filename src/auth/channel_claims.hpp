#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error_codes.hpp"

/// What a JWT says of its owner on some channels (Ably's documentation, "User claims" and "Per connection publish rate limits"):
///   ably.channel.PATTERN                              a text that everybody reads in extras.userClaim
///   ably.limits.publish.perAttachment.maxRate.PATTERN messages a second, that a connection may publish on a channel
/// A PATTERN is as in a capability; of those that match a channel, the most specific counts. Immutable once made.
namespace auth {

using base::Result;

inline constexpr std::size_t channel_claims_max = 200;      // of a token; above it 40144
inline constexpr std::size_t user_claim_bytes_max = 1'024;  // of one: each message carries it; 40144

class ChannelClaims {
public:
    /// Is it a claim of these, by its name? Then one of the two below takes it.
    static std::optional<std::string_view> user_claim_pattern(std::string_view name);
    static std::optional<std::string_view> publish_rate_pattern(std::string_view name);
    void add_user_claim(std::string_view pattern, std::string text) { add(user_claims_, pattern, std::move(text)); }
    void add_publish_rate(std::string_view pattern, double per_second) { add(publish_rates_, pattern, per_second); }

    /// Error: invalid_jwt, for more or longer ones than may be, and for a rate that is none.
    Result<void> check() const;
    bool empty() const { return user_claims_.empty() && publish_rates_.empty(); }

    /// On a channel, by its full name; null where there is none.
    const std::string* user_claim(std::string_view channel) const { return find(user_claims_, channel); }
    const double* publish_rate(std::string_view channel) const { return find(publish_rates_, channel); }

private:
    template <class T>
    using ByPattern = std::vector<std::pair<std::string, T>>;  // the most specific first

    template <class T>
    static void add(ByPattern<T>& claims, std::string_view pattern, T value);
    template <class T>
    static const T* find(const ByPattern<T>& claims, std::string_view channel);

    ByPattern<std::string> user_claims_;
    ByPattern<double> publish_rates_;
};

}  // namespace auth
