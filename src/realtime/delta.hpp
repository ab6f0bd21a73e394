#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"

namespace realtime {

/// The message that somebody was sent last, which the next one can be told against (RTL19, RTL20).
struct LastSent {
    broker::EntryPtr entry;  // null: none
    std::size_t index = 0;   // of the message in it

    const protocol::Message* message() const { return entry ? &entry->message.messages.at(index) : nullptr; }
    friend bool operator==(const LastSent&, const LastSent&) = default;
};

/// Replaces the data of each message by how it differs from that of the one before, or for the first of `before`, where that takes
/// fewer bytes: extras.delta says from what, and the encoding ends in "vcdiff" (RTL19c).
void make_deltas(std::vector<protocol::Message>& messages, const protocol::Message* before);

/// Is a step of this encoding one that only make_deltas() may take? A subscriber that meets it, and has no decoder, gives up its channel.
bool claims_delta(std::string_view encoding);

/// Takes off what a publisher says in extras.delta: subscribers would look for a message that they never got, and attach again.
void drop_delta(protocol::JsonText& extras);

}  // namespace realtime
