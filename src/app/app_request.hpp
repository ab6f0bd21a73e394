#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/app.hpp"
#include "protocol/message.hpp"

namespace app {

/// A channel that an app is made with: members who stay while there is the app.
struct ChannelFixture {
    std::string name;
    std::vector<protocol::PresenceMessage> presence;  // to enter
    friend bool operator==(const ChannelFixture&, const ChannelFixture&) = default;
};

/// An app as POST /apps asks for it, with ids and secrets made up.
struct AppRequest {
    auth::App app;
    std::vector<ChannelFixture> channels;
};

/// {"keys":[{"capability","revocableTokens"}],"namespaces":[{"id","persisted","mutableMessages","pushEnabled"}],
/// "channels":[{"name","presence":[{"clientId","data","encoding"}]}],"limits":{…}}, all optional; what else there is, is skipped, for
/// suites ask for what is not ours. A capability is an object, or one as text. A limit is named as in the configuration, or
/// {"presence":{"maxMembers"}}. Errors: invalid_body, bad_request (a capability), and those of channel names.
base::Result<AppRequest> app_request_from_json(std::string_view json);

/// The answer to it, in the order of the request. `endpoint` and `port` are where clients find the server.
std::string to_json(const AppRequest& made, std::string_view endpoint, std::uint16_t port);

}  // namespace app
