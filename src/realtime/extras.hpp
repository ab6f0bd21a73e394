#pragma once

#include <string>
#include <string_view>

#include "auth/token.hpp"
#include "protocol/message.hpp"

/// The members of extras that are the server's to say.
namespace realtime {

/// The object (nothing is an empty one) with this member as its only one of that name; without one when `value`, a JSON text, is empty.
std::string with_member(std::string_view object, std::string_view name, std::string_view value);
/// Without the member; nothing when it was the only one.
void drop_member(protocol::JsonText& extras, std::string_view name);

/// extras.userClaim is what the publisher's token says of it on this channel, and never what the publisher says.
void stamp_user_claim(protocol::JsonText& extras, const auth::Identity& publisher, std::string_view channel);

}  // namespace realtime
