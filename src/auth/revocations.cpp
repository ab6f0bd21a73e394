#include "auth/revocations.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include <fmt/format.h>

#include "base/limits.hpp"

namespace auth {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::array<std::string_view, 3> types{"clientId", "revocationKey", "channel"};
constexpr std::size_t log_slack = 1'000;  // forgotten revocations that a log may hold, besides as many as there are

std::string place_of(std::string_view key_name, std::string_view target) { return fmt::format("{} {}", key_name, target); }

bool is_expired(const auto& each, Time now) { return each.issued_before + revocable_token_ttl_max < now; }

}  // namespace

Result<void> check_revocation_target(std::string_view target) {
    const auto colon = std::min(target.find(':'), target.size());
    const bool known = std::ranges::find(types, target.substr(0, colon)) != types.end();
    if (!known || colon + 1 >= target.size() || target.size() > base::limits::revocation_target_bytes_max) {
        return fail(ErrorCode::bad_request, "A target is clientId:…, revocationKey:… or channel:…");
    }
    return {};
}

Result<void> Revocations::keep_in(std::unique_ptr<RevocationLog> log, std::vector<Revocation> before, Time now) {
    const std::unique_lock lock{mutex_};
    for (const auto& each : before) put(each);
    forget_expired(now);
    log_ = std::move(log);
    logged_ = size_;
    return log_->replace(all());
}

Result<void> Revocations::add(std::span<const Revocation> revocations, Time now) {
    const std::unique_lock lock{mutex_};
    forget_expired(now);
    if (size_ + revocations.size() > base::limits::revocations_max) {
        return fail(ErrorCode::rate_limit_exceeded, "Too many revocations concern tokens that have not expired");
    }
    if (log_) {
        if (const auto kept = log_->append(revocations); !kept) return kept;
        logged_ += revocations.size();
    }
    for (const auto& each : revocations) put(each);
    if (!log_ || logged_ <= 2 * size_ + log_slack) return {};
    logged_ = size_;
    return log_->replace(all());
}

/// One that reaches as far and applies as early makes another one needless.
void Revocations::put(const Revocation& revocation) {
    auto& terms = by_target_[place_of(revocation.key_name, revocation.target)];
    const auto covers = [](const auto& a, const auto& b) { return a.issued_before >= b.issued_before && a.applies_at <= b.applies_at; };
    if (std::ranges::any_of(terms, [&](const Term& each) { return covers(each, revocation); })) return;
    size_ -= std::erase_if(terms, [&](const Term& each) { return covers(revocation, each); });
    terms.push_back({revocation.issued_before, revocation.applies_at});
    ++size_;
}

void Revocations::forget_expired(Time now) {
    for (auto each = by_target_.begin(); each != by_target_.end();) {
        size_ -= std::erase_if(each->second, [&](const Term& term) { return is_expired(term, now); });
        each = each->second.empty() ? by_target_.erase(each) : std::next(each);
    }
}

std::vector<Revocation> Revocations::all() const {
    std::vector<Revocation> list;
    for (const auto& [place, terms] : by_target_) {
        const auto space = place.find(' ');
        for (const auto& term : terms) {
            list.push_back({.key_name = place.substr(0, space),
                            .target = place.substr(space + 1),
                            .issued_before = term.issued_before,
                            .applies_at = term.applies_at});
        }
    }
    return list;
}

void Revocations::find_earliest(std::string_view key_name, std::string_view type, std::string_view value, Time issued,
                                std::optional<Time>& earliest) const {
    if (value.empty()) return;
    const auto found = by_target_.find(place_of(key_name, fmt::format("{}:{}", type, value)));
    if (found == by_target_.end()) return;
    for (const auto& term : found->second) {
        if (issued < term.issued_before) earliest = std::min(earliest.value_or(term.applies_at), term.applies_at);
    }
}

std::optional<Time> Revocations::revoked_from(std::string_view key_name, const RevocableToken& token,
                                              const Capability& capability) const {
    const std::shared_lock lock{mutex_};
    std::optional<Time> earliest;
    if (by_target_.empty()) return earliest;
    find_earliest(key_name, types[0], token.client_id, token.issued, earliest);
    find_earliest(key_name, types[1], token.revocation_key, token.issued, earliest);
    for (const auto& pattern : capability.patterns()) find_earliest(key_name, types[2], pattern, token.issued, earliest);
    return earliest;
}

}  // namespace auth
