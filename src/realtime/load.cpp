#include "realtime/load.hpp"

namespace realtime {
namespace {

template <class Message>
Load sum(stats::Kind kind, const std::vector<Message>& messages) {
    Load load{.kind = kind, .count = static_cast<std::int64_t>(messages.size())};
    for (const auto& each : messages) load.bytes += static_cast<std::int64_t>(size_of(each));
    return load;
}

}  // namespace

Load load_of(const std::vector<protocol::Message>& messages) { return sum(stats::Kind::messages, messages); }
Load load_of(const std::vector<protocol::PresenceMessage>& members) { return sum(stats::Kind::presence, members); }
Load load_of(const protocol::ProtocolMessage& message) {
    switch (message.action) {
        case protocol::Action::presence: return load_of(message.presence);
        case protocol::Action::annotation: return sum(stats::Kind::messages, message.annotations);
        default: return load_of(message.messages);
    }
}

void count(stats::Ledger& ledger, std::string_view app_id, stats::Way way, const Load& load, stats::Over over) {
    ledger.of(app_id).messages(way, over, load.kind, load.count, load.bytes);
}

}  // namespace realtime
