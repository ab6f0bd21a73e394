#pragma once

#include <map>
#include <string>
#include <vector>

#include "protocol/message.hpp"

namespace realtime {

/// Who is present on a channel: the server's side of RTP2. Lives on the channel's home shard.
class PresenceSet {
public:
    /// Applies one ordered presence message, in the channel's order. False when there is nothing to announce: a LEAVE of nobody, or
    /// what the member said before, by its id. An UPDATE of nobody becomes an ENTER (RTP2d).
    bool apply(protocol::PresenceMessage& message);

    /// Members as PRESENT messages, for a SYNC or a REST answer, by memberKey (TP3h).
    std::vector<protocol::PresenceMessage> members() const;
    /// LEAVEs for what this connection entered; apply() each as any other.
    std::vector<protocol::PresenceMessage> leaves_of(const std::string& connection_id) const;

    bool contains(const std::string& connection_id, const std::string& client_id) const {
        return members_.contains({connection_id, client_id});
    }
    std::size_t size() const { return members_.size(); }
    std::size_t bytes() const { return bytes_; }  // the sum of their weights
    /// What a member takes in memory beyond the 448 bytes of one that has an id and says little: as many of those as there may be.
    static std::size_t weight(const protocol::PresenceMessage& member);
    bool empty() const { return members_.empty(); }

private:
    std::map<std::pair<std::string, std::string>, protocol::PresenceMessage> members_;  // by connectionId, clientId
    std::size_t bytes_ = 0;
};

}  // namespace realtime
