#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/message.hpp"

namespace functions {

using base::ErrorCode;
using base::fail;
using base::Result;

/// What a rule hands to a function: messages of one channel, in order, in Ably's envelope.
struct Event {
    std::string source = "channel.message";
    std::string app_id, channel, site, rule_id;
    std::vector<protocol::Message> messages;
    friend bool operator==(const Event&, const Event&) = default;
};

/// {"source":…,"appId":…,"channel":…,"site":…,"ruleId":…,"messages":[…]}
std::string to_json(const Event& event);
/// Unknown members are skipped. Error: invalid_body.
Result<Event> event_from_json(std::string_view text);

}  // namespace functions
