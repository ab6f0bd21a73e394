#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "auth/token.hpp"
#include "protocol/channel_name.hpp"

namespace server {

/// A channel that somebody may do something with.
struct Access {
    protocol::ChannelName name;
    std::string address;  // appId/channel
};

/// The channel called `name`, if the identity may do one of the operations there. Errors: invalid_channel_name, capability_denied.
base::Result<Access> access(const auth::Identity& identity, std::string_view name, std::initializer_list<auth::Operation> any_of);

}  // namespace server
