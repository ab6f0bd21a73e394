#pragma once

#include <string_view>
#include <vector>

#include "protocol/message.hpp"
#include "stats/ledger.hpp"

namespace realtime {

/// What somebody publishes or is sent, as statistics count it.
struct Load {
    stats::Kind kind = stats::Kind::messages;
    std::int64_t count = 0, bytes = 0;

    void add(const Load& other, std::int64_t times) {
        count += other.count * times;
        bytes += other.bytes * times;
    }
};

Load load_of(const std::vector<protocol::Message>& messages);
Load load_of(const std::vector<protocol::PresenceMessage>& members);
Load load_of(const protocol::ProtocolMessage& message);

void count(stats::Ledger& ledger, std::string_view app_id, stats::Way way, const Load& load,
           stats::Over over = stats::Over::realtime);

}  // namespace realtime
