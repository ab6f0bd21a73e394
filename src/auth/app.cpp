#include "auth/app.hpp"

#include <algorithm>
#include <array>

namespace auth {
namespace {

using base::ErrorCode;

bool is_id(std::string_view text) {
    constexpr std::string_view allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    return !text.empty() && text.find_first_not_of(allowed) == text.npos;
}

namespace limits = base::limits;
constexpr std::size_t unlimited_most = 1'000'000'000;

constexpr std::array<LimitSetting, 7> settings{{
    {"connections", &AppLimits::connections, 1, limits::connections_per_app_max},
    {"channels_per_connection", &AppLimits::channels_per_connection, 1, 100'000},
    {"message_bytes", &AppLimits::message_bytes, 1, limits::frame_bytes_max},
    {"inbound_per_connection", &AppLimits::inbound_per_connection, 0, unlimited_most},
    {"inbound_per_channel", &AppLimits::inbound_per_channel, 0, unlimited_most},
    {"presence_members_per_channel", &AppLimits::presence_members_per_channel, 1, 100'000},
    {"outbound_bytes", &AppLimits::outbound_bytes, limits::frame_bytes_max, std::size_t{1} << 30},  // a frame must fit
}};

}  // namespace

std::span<const LimitSetting> limit_settings() { return settings; }

Result<Key> parse_key(std::string_view key_text, Capability capability) {
    const auto colon = std::min(key_text.find(':'), key_text.size());
    const auto name = key_text.substr(0, colon), secret = key_text.substr(std::min(colon + 1, key_text.size()));
    const auto dot = std::min(name.find('.'), name.size());
    if (!is_id(name.substr(0, dot)) || !is_id(name.substr(std::min(dot + 1, name.size()))) || secret.empty()) {
        return base::fail(ErrorCode::invalid_credentials, "a key is written appId.keyId:secret");
    }
    return Key{.name = std::string{name}, .secret = std::string{secret}, .capability = std::move(capability)};
}

Result<void> App::add(Key key) {
    if (key.app_id() != id) return base::fail(ErrorCode::invalid_credentials, "{} is not a key of the app {}", key.name, id);
    if (this->key(key.name)) return base::fail(ErrorCode::invalid_credentials, "there are two keys named {}", key.name);
    keys.push_back(std::move(key));
    return {};
}

const Key* App::key(std::string_view name) const {
    const auto found = std::ranges::find(keys, name, &Key::name);
    return found == keys.end() ? nullptr : &*found;
}

const Namespace& App::namespace_of(std::string_view channel) const {
    if (channel.starts_with('[')) channel.remove_prefix(std::min(channel.find(']'), channel.size() - 1) + 1);
    const auto found = std::ranges::find(namespaces, channel.substr(0, channel.find(':')), &Namespace::id);
    return found == namespaces.end() ? default_namespace : *found;
}

}  // namespace auth
