#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/capability.hpp"

namespace auth {

/// An API key: `appId.keyId:secret`.
struct Key {
    std::string name;    // appId.keyId
    std::string secret;  // never logged, never sent
    Capability capability = Capability::all();

    std::string_view app_id() const { return std::string_view{name}.substr(0, name.find('.')); }
    std::string key_id() const { return name.substr(name.find('.') + 1); }
};

/// The keys a server knows. Shared, immutable: built before the shards start.
class KeyStore {
public:
    /// Errors: invalid_credentials when the text is not `appId.keyId:secret`, or the name is there already.
    Result<void> add(std::string_view key_text, Capability capability);

    const Key* find(std::string_view name) const;                   // null when unknown
    Result<const Key*> check(std::string_view key_text) const;      // invalid_credentials; compares in constant time

private:
    std::unordered_map<std::string, std::unique_ptr<Key>> by_name_;
};

}  // namespace auth
