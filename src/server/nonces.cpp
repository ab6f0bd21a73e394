#include "server/nonces.hpp"

#include <algorithm>

#include <openssl/sha.h>

namespace server {

Nonces::Use Nonces::use(const std::string& key_name, const std::string& nonce, base::Time expires, base::Time now) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> whole;
    SHA256(reinterpret_cast<const unsigned char*>(nonce.data()), nonce.size(), whole.data());
    Digest digest;
    std::copy_n(whole.begin(), digest.size(), digest.begin());

    const std::scoped_lock lock{mutex_};
    forget_expired(now);
    const auto known = used_.find(key_name);
    const auto count = known == used_.end() ? 0 : known->second.size();
    if (count > 0 && known->second.contains(digest)) return Use::again;
    if (count >= base::limits::nonces_per_key_max || !budget_.allows(count, 1)) return Use::full;  // refuse rather than forget
    auto& [name, digests] = count > 0 ? *known : *used_.try_emplace(key_name).first;
    digests.insert(digest);
    by_expiry_.insert({expires, &name, digest});
    budget_.take(1);
    return Use::first;
}

void Nonces::forget_expired(base::Time now) {
    while (!by_expiry_.empty() && by_expiry_.begin()->expires < now) {
        const auto [expires, key_name, digest] = *by_expiry_.begin();
        by_expiry_.erase(by_expiry_.begin());
        const auto of_key = used_.find(*key_name);
        of_key->second.erase(digest);
        if (of_key->second.empty()) used_.erase(of_key);
        budget_.give_back(1);
    }
}

std::size_t Nonces::size() const {
    const std::scoped_lock lock{mutex_};
    return by_expiry_.size();
}

}  // namespace server
