#include "realtime/presence_set.hpp"

#include <algorithm>

namespace realtime {

using protocol::PresenceAction;
using protocol::PresenceMessage;

std::size_t PresenceSet::weight(const PresenceMessage& member) {
    constexpr std::size_t usual_bytes = 448;
    constexpr std::size_t node_bytes = sizeof(decltype(members_)::value_type) + 4 * sizeof(void*);  // the key has the ids once more
    const auto bytes = node_bytes + heap_bytes(member) + member.connection_id.size() + member.client_id.size();
    return bytes - std::min(bytes, usual_bytes);
}

bool PresenceSet::apply(PresenceMessage& message) {
    const std::pair key{message.connection_id, message.client_id};
    const auto member = members_.find(key);
    if (message.action == PresenceAction::leave) {
        if (member == members_.end()) return false;
        // A LEAVE without data tells what the member last said (RTP2 leaves that to the server).
        if (std::holds_alternative<std::monostate>(message.data)) {
            message.data = member->second.data;
            message.encoding = member->second.encoding;
        }
        bytes_ -= weight(member->second);
        members_.erase(member);
        return true;
    }
    // Said again, as after a resume (RTN19a, RTP17g). Once the member has left, the same id enters it anew.
    if (member != members_.end() && !message.id.empty() && member->second.id == message.id) return false;
    if (message.action == PresenceAction::update && member == members_.end()) message.action = PresenceAction::enter;
    auto present = message;
    present.action = PresenceAction::present;
    if (member != members_.end()) bytes_ -= weight(member->second);
    bytes_ += weight(members_.insert_or_assign(key, std::move(present)).first->second);
    return true;
}

std::vector<PresenceMessage> PresenceSet::members() const {
    std::vector<PresenceMessage> all;
    all.reserve(members_.size());
    for (const auto& [key, member] : members_) all.push_back(member);
    return all;
}

std::vector<PresenceMessage> PresenceSet::leaves_of(const std::string& connection_id) const {
    std::vector<PresenceMessage> leaves;
    for (auto member = members_.lower_bound({connection_id, {}}); member != members_.end() && member->first.first == connection_id;
         ++member) {
        leaves.push_back({.client_id = member->second.client_id,
                          .connection_id = connection_id,
                          .encoding = member->second.encoding,
                          .data = member->second.data,
                          .action = PresenceAction::leave});
    }
    return leaves;
}

}  // namespace realtime
