#include "auth/keys.hpp"

#include <algorithm>

#include "auth/token.hpp"

namespace auth {
namespace {

using base::ErrorCode;

struct KeyText {
    std::string_view name, secret;
};

KeyText split(std::string_view key_text) {
    const auto colon = key_text.find(':');
    if (colon == key_text.npos) return {.name = key_text, .secret = {}};
    return {.name = key_text.substr(0, colon), .secret = key_text.substr(colon + 1)};
}

bool is_id(std::string_view text) {
    constexpr std::string_view allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    return !text.empty() && text.find_first_not_of(allowed) == text.npos;
}

}  // namespace

Result<void> KeyStore::add(std::string_view key_text, Capability capability) {
    const auto [name, secret] = split(key_text);
    const auto dot = std::min(name.find('.'), name.size());
    const auto key_id = name.substr(std::min(dot + 1, name.size()));
    if (!is_id(name.substr(0, dot)) || !is_id(key_id) || secret.empty()) {
        return base::fail(ErrorCode::invalid_credentials, "a key is written appId.keyId:secret");
    }
    auto key = std::make_unique<Key>(Key{std::string{name}, std::string{secret}, std::move(capability)});
    const auto [added, is_new] = by_name_.try_emplace(key->name, nullptr);
    if (!is_new) return base::fail(ErrorCode::invalid_credentials, "there are two keys named {}", name);
    added->second = std::move(key);
    return {};
}

const Key* KeyStore::find(std::string_view name) const {
    const auto found = by_name_.find(std::string{name});
    return found == by_name_.end() ? nullptr : found->second.get();
}

Result<const Key*> KeyStore::check(std::string_view key_text) const {
    const auto [name, secret] = split(key_text);
    const auto* key = find(name);
    if (key && equal_constant_time(key->secret, secret)) return key;
    return base::fail(ErrorCode::invalid_credentials, "the key is not one of this server's");
}

}  // namespace auth
