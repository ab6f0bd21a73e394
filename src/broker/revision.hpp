#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "protocol/message.hpp"

/// Messages that are updated, deleted and appended to (TM2s, RSL15).
namespace broker {

/// Whose messages a publisher may change, and on what condition: goes with a draft that does.
struct Change {
    bool any = false;                             // everybody's
    std::string own;                              // those of this clientId; empty: none
    std::optional<std::string> expected_version;  // refused when another change came first
    std::size_t bytes_max = 0;                    // of what becomes of the message
};

bool is_change(const protocol::Message& message);
/// A message's version, which is its serial until it is changed (TM2s1).
const std::string& version_of(const protocol::Message& message);

/// What `operation` makes of `current`: what it brings of name, data and extras takes the place of what was (TM5), the rest stays; data
/// appended goes behind what was. The version is the operation's, whose serial and time are still to be given.
/// Errors: capability_denied, conflict, message_too_large, invalid_message_data for an append that does not fit what it goes behind.
base::Result<protocol::Message> revised(const protocol::Message& current, const protocol::Message& operation, const Change& change);

}  // namespace broker
