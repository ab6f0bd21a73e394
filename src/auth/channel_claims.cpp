#include "auth/channel_claims.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "auth/capability.hpp"

namespace auth {
namespace {

using base::ErrorCode;
using base::fail;

std::optional<std::string_view> after(std::string_view prefix, std::string_view name) {
    if (!name.starts_with(prefix) || name.size() == prefix.size()) return std::nullopt;
    return name.substr(prefix.size());
}

/// One channel before many of a name, and those before any.
auto specificity(std::string_view pattern) {
    const auto wildcards = std::ranges::count(pattern, '*');
    return std::tuple{wildcards == 0, std::ssize(pattern) - wildcards};
}

}  // namespace

std::optional<std::string_view> ChannelClaims::user_claim_pattern(std::string_view name) { return after("ably.channel.", name); }

std::optional<std::string_view> ChannelClaims::publish_rate_pattern(std::string_view name) {
    return after("ably.limits.publish.perAttachment.maxRate.", name);
}

template <class T>
void ChannelClaims::add(ByPattern<T>& claims, std::string_view pattern, T value) {
    const auto behind = [&](const auto& each) { return specificity(each.first) < specificity(pattern); };
    claims.emplace(std::ranges::find_if(claims, behind), pattern, std::move(value));
}

template <class T>
const T* ChannelClaims::find(const ByPattern<T>& claims, std::string_view channel) {
    const auto found = std::ranges::find_if(claims, [&](const auto& each) { return is_matched(channel, each.first); });
    return found == claims.end() ? nullptr : &found->second;
}

template void ChannelClaims::add(ByPattern<std::string>&, std::string_view, std::string);
template void ChannelClaims::add(ByPattern<double>&, std::string_view, double);
template const std::string* ChannelClaims::find(const ByPattern<std::string>&, std::string_view);
template const double* ChannelClaims::find(const ByPattern<double>&, std::string_view);

Result<void> ChannelClaims::check() const {
    if (user_claims_.size() + publish_rates_.size() > channel_claims_max) {
        return fail(ErrorCode::invalid_jwt, "a token has {} claims about channels at most", channel_claims_max);
    }
    for (const auto& [pattern, text] : user_claims_) {
        if (text.size() <= user_claim_bytes_max) continue;
        return fail(ErrorCode::invalid_jwt, "the claim ably.channel.* is {} bytes at most, since each message carries it",
                    user_claim_bytes_max);
    }
    for (const auto& [pattern, rate] : publish_rates_) {
        if (std::isfinite(rate) && rate >= 0) continue;
        return fail(ErrorCode::invalid_jwt, "the claim ably.limits.publish.perAttachment.maxRate.* is a number of messages a second");
    }
    return {};
}

}  // namespace auth
