#include "app/app_request.hpp"

#include <boost/json.hpp>

#include "base/random.hpp"
#include "protocol/codec.hpp"
#include "realtime/checks.hpp"

namespace app {
namespace {

namespace json = boost::json;
using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::size_t of_each_max = 100;  // keys, namespaces and channels of an app
constexpr std::size_t app_id_length = 6, key_id_length = 6, account_id_length = 6, secret_length = 43;

std::unexpected<base::Error> malformed(std::string_view what) {
    return fail(ErrorCode::invalid_body, "{} is not as it should be", what);
}

const json::value* member(const json::object& object, std::string_view name) {
    const auto* found = object.if_contains(name);
    return found && !found->is_null() ? found : nullptr;
}

bool flag(const json::object& object, std::string_view name) {
    const auto* found = member(object, name);
    return found && found->is_bool() && found->get_bool();
}

/// Calls `each` with every object of a list, if there is the list.
template <class Each>
Result<void> for_each(const json::object& request, std::string_view name, Each each) {
    const auto* list = member(request, name);
    if (!list) return {};
    if (!list->is_array() || list->get_array().size() > of_each_max) return malformed(name);
    for (const auto& entry : list->get_array()) {
        if (!entry.is_object()) return malformed(name);
        if (const auto taken = each(entry.get_object()); !taken) return taken;
    }
    return {};
}

Result<void> add_key(auth::App& app, const json::object& asked) {
    auth::Key key{.name = app.id + "." + base::random_id(key_id_length), .secret = base::random_id(secret_length)};
    if (const auto* given = member(asked, "capability")) {
        auto capability = auth::Capability::parse(given->is_string() ? std::string{given->get_string()} : json::serialize(*given));
        if (!capability) return std::unexpected(capability.error());
        key.capability = *std::move(capability);
    }
    key.revocable_tokens = flag(asked, "revocableTokens");
    return app.add(std::move(key));
}

Result<void> add_namespace(auth::App& app, const json::object& asked) {
    const auto* id = member(asked, "id");
    if (!id || !id->is_string()) return malformed("a namespace's id");
    app.namespaces.push_back({.id = std::string{id->get_string()},
                              .persisted = flag(asked, "persisted"),
                              .mutable_messages = flag(asked, "mutableMessages"),
                              .push_enabled = flag(asked, "pushEnabled")});
    return {};
}

/// Members are read as from a client's PRESENCE, which knows of encodings.
Result<void> add_channel(std::vector<ChannelFixture>& channels, const json::object& asked) {
    const auto* name = member(asked, "name");
    if (!name || !name->is_string()) return malformed("a channel's name");
    const auto channel = realtime::channel_of(std::string{name->get_string()});
    if (!channel) return std::unexpected(channel.error());
    ChannelFixture fixture{.name = channel->base, .presence = {}};
    if (const auto* presence = member(asked, "presence")) {
        const json::object frame{{"action", static_cast<int>(protocol::Action::presence)}, {"presence", *presence}};
        auto message = protocol::decode(protocol::Format::json, json::serialize(frame));
        if (!message) return malformed("presence");
        fixture.presence = std::move(message->presence);
    }
    for (auto& each : fixture.presence) {
        if (each.client_id.empty()) return malformed("a member's clientId");
        each.action = protocol::PresenceAction::enter;
    }
    channels.push_back(std::move(fixture));
    return {};
}

Result<void> set_limit(std::size_t& limit, const json::value& asked, const auth::LimitSetting& setting) {
    boost::system::error_code error;
    const auto number = asked.to_number<std::size_t>(error);
    if (error || number < setting.least || number > setting.most) {
        return fail(ErrorCode::invalid_body, "{} is a number from {} to {}", setting.name, setting.least, setting.most);
    }
    limit = number;
    return {};
}

Result<void> set_limits(auth::AppLimits& limits, const json::object& asked) {
    const auto* presence = member(asked, "presence");
    for (const auto& setting : auth::limit_settings()) {
        const auto* given = member(asked, setting.name);
        if (!given && setting.limit == &auth::AppLimits::presence_members_per_channel && presence && presence->is_object()) {
            given = member(presence->get_object(), "maxMembers");
        }
        if (!given) continue;
        if (const auto set = set_limit(limits.*setting.limit, *given, setting); !set) return set;
    }
    return {};
}

json::object answer_of(const auth::Key& key) {
    return {{"id", key.key_id()},
            {"keyName", key.name},
            {"keySecret", key.secret},
            {"value", key.secret},  // as some SDKs' suites call it
            {"keyStr", key.name + ":" + key.secret},
            {"capability", key.capability.to_json()},
            {"revocableTokens", key.revocable_tokens}};
}

json::object answer_of(const auth::Namespace& each) {
    return {{"id", each.id}, {"persisted", each.persisted}, {"mutableMessages", each.mutable_messages}, {"pushEnabled", each.push_enabled}};
}

json::object answer_of(const ChannelFixture& channel) {
    json::array presence;
    for (const auto& each : channel.presence) presence.push_back(json::object{{"clientId", each.client_id}});
    return {{"name", channel.name}, {"presence", std::move(presence)}};
}

template <class T>
json::array answers(const std::vector<T>& all) {
    json::array array;
    for (const auto& each : all) array.push_back(answer_of(each));
    return array;
}

}  // namespace

Result<AppRequest> app_request_from_json(std::string_view text) {
    boost::system::error_code error;
    const auto parsed = json::parse(text, error);
    if (error || !parsed.is_object()) return malformed("the body");
    const auto& asked = parsed.get_object();
    AppRequest made{.app = {.id = base::random_id(app_id_length), .account_id = base::random_id(account_id_length)}, .channels = {}};
    const auto read = [&]() -> Result<void> {
        const auto keys = for_each(asked, "keys", [&](const auto& each) { return add_key(made.app, each); });
        if (!keys) return keys;
        const auto namespaces = for_each(asked, "namespaces", [&](const auto& each) { return add_namespace(made.app, each); });
        if (!namespaces) return namespaces;
        const auto channels = for_each(asked, "channels", [&](const auto& each) { return add_channel(made.channels, each); });
        if (!channels) return channels;
        const auto* limits = member(asked, "limits");
        if (!limits) return {};
        if (!limits->is_object()) return malformed("limits");
        return set_limits(made.app.limits, limits->get_object());
    }();
    if (!read) return std::unexpected(read.error());
    return made;
}

std::string to_json(const AppRequest& made, std::string_view endpoint, std::uint16_t port) {
    return json::serialize(json::object{{"appId", made.app.id},
                                        {"accountId", made.app.account_id},
                                        {"keys", answers(made.app.keys)},
                                        {"namespaces", answers(made.app.namespaces)},
                                        {"channels", answers(made.channels)},
                                        {"endpoint", endpoint},
                                        {"port", port},
                                        {"tls", false}});
}

}  // namespace app
