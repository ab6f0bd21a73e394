#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "auth/token.hpp"
#include "base/limits.hpp"
#include "broker/broker.hpp"
#include "protocol/message.hpp"
#include "realtime/audience.hpp"
#include "realtime/occupancy.hpp"

/// What a connection asks of others, and what a channel's home answers.
namespace realtime {

using base::Result;
using base::Time;

/// What the publisher's app allows on a channel. Its home keeps to it.
struct ChannelBounds {
    std::size_t messages_per_second = 0;  // 0: any
    std::size_t members = base::limits::presence_members_per_channel_max;
    bool persisted = false;  // what is published goes into the archive, if there is one
};
inline ChannelBounds bounds_of(const auth::Identity& publisher, std::string_view channel) {
    const auto& limits = publisher.app->limits;
    return {.messages_per_second = limits.inbound_per_channel,
            .members = limits.presence_members_per_channel,
            .persisted = publisher.app->namespace_of(channel).persisted};
}

/// What a channel's home counts an attachment as.
struct Standing {
    std::int64_t modes = 0;
    bool wants_occupancy = false;
    bool deltas = false;
    bool whole_appends = false;  // what is appended to a message comes as all of it
};

struct AttachRequest {
    std::string name;      // as the client calls it
    std::string channel;   // without a qualifier
    std::uint64_t number;  // of this try: an answer to an earlier one is void
    Standing as;
    std::optional<Standing> before;  // it is counted already, as this
    broker::From from;
};
/// The answer to an AttachRequest.
struct Attached {
    broker::Replay replay;
    bool resumed = false;
    bool gap = false;  // it was to resume, and something is missing
    std::vector<protocol::PresenceMessage> members;
    OccupancyMetrics occupancy;
};
struct DetachRequest {
    std::string name, channel;
    Standing as;
};
struct PublishRequest {  // a MESSAGE, PRESENCE or ANNOTATION, checked
    std::int64_t msg_serial;
    broker::Draft draft;
};
struct SyncRequest {  // who is present
    std::string name, channel;
};
struct LeaveRequest {  // of all that this connection entered on the channel
    std::string channel;
};
/// Of its own shard: deliveries of an attachment, from now on or no longer.
struct ListenRequest {
    std::string name;
    LastSent before;  // what was replayed
};
struct UnlistenRequest {
    std::string name, channel;
    Audience::Seat seat;
};
using Request = std::variant<AttachRequest, DetachRequest, PublishRequest, SyncRequest, LeaveRequest, ListenRequest, UnlistenRequest>;

/// In order: each frame or request after those before it.
struct Outbox {
    boost::container::small_vector<std::variant<protocol::ProtocolMessage, Request>, 1> steps;  // mostly one
    bool ended = false;    // the connection is over, nothing of it is kept
    bool dropped = false;  // its transport is finished, but it can be resumed
    bool rolls = false;     // appends wait, or have left: when the next do is to be asked for
    bool answered = false;  // publishes have answers: it is to acknowledge() when what else there is has been received

    void send(protocol::ProtocolMessage&& message) { steps.emplace_back(std::move(message)); }
    template <class Asked>
    void ask(Asked request) {
        steps.emplace_back(std::in_place_type<Request>, std::move(request));
    }
    /// … made of its parts where it is to stand.
    template <class Asked, class... Parts>
    void ask_in_place(Parts&&... parts) {
        steps.emplace_back(std::in_place_type<Request>, std::in_place_type<Asked>, std::forward<Parts>(parts)...);
    }
};

}  // namespace realtime
