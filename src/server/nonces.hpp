#pragma once

#include <map>
#include <mutex>
#include <string>
#include <unordered_set>

#include "auth/token.hpp"
#include "base/limits.hpp"

namespace server {

/// The nonces of token requests that were exchanged, with their keys (RSA9f): each is good once. Shared, synchronised by
/// its own mutex: once per client session, on whichever shard the request came in.
class Nonces {
public:
    /// False when this one was used within the time that a token request is valid, or when too many were.
    bool use(const std::string& nonce, base::Time now) {
        const std::scoped_lock lock{mutex_};
        // A request's timestamp may be off either way, so one stays valid for twice the window at most.
        const auto forget = now - 2 * auth::token_request_window;
        for (auto oldest = by_time_.begin(); oldest != by_time_.end() && oldest->first < forget; oldest = by_time_.erase(oldest)) {
            used_.erase(oldest->second);
        }
        if (used_.size() >= base::limits::nonces_remembered_max) return false;  // refuse rather than forget
        if (!used_.insert(nonce).second) return false;
        by_time_.emplace(now, nonce);
        return true;
    }

private:
    std::mutex mutex_;
    std::unordered_set<std::string> used_;
    std::multimap<base::Time, std::string> by_time_;
};

}  // namespace server
