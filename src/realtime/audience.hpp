#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"
#include "realtime/occupancy.hpp"
#include "realtime/selection.hpp"
#include "realtime/transport.hpp"

namespace realtime {

using protocol::FramePtr;

/// One entry's frames under the channel's plain name, by Format. Null where nobody wants that format.
using Frames = std::array<FramePtr, 2>;

FramePtr encode_as(const broker::Entry& entry, protocol::Format format, std::string_view channel);

/// The mode of who is delivered what.
constexpr std::int64_t mode_for(protocol::Action action) {
    if (action == protocol::Action::presence) return protocol::flag::presence_subscribe;
    return action == protocol::Action::annotation ? protocol::flag::annotation_subscribe : protocol::flag::subscribe;
}

/// Those on one shard who are attached to one channel: where fan-out ends. Shard-owned.
class Audience {
public:
    /// Where a listener sits in its group; kept by whoever added it, so that nobody is ever searched for.
    using Seat = std::size_t;
    struct Listener {
        Transport* transport = nullptr;
        const std::string* connection_id = nullptr;
        std::int64_t modes = 0;
        bool echo = true;      // of its own messages (RTC1a)
        const std::string* occupancy = nullptr;  // the category it is told of; empty for none
        Seat* seat = nullptr;                    // all that is pointed to outlives the listener
    };
    /// `name` is what the listener calls the channel: a qualified name, whose filter comes along, or the plain one.
    void add(const std::string& name, protocol::Format format, const FilterPtr& filter, Listener listener);
    void remove(const std::string& name, protocol::Format format, Seat seat);
    bool empty() const { return groups_.empty(); }

    /// Sends the entry to each listener whose modes want it. `frames` serve those who use `plain`, the channel's own name;
    /// frames for others are encoded here, once per name and format, with what passes their filters.
    void deliver(const broker::Entry& entry, const Frames& frames, std::string_view plain) const;
    /// Sends how the channel is used now to those who want to be told.
    void deliver(const OccupancyMetrics& metrics) const;

private:
    /// All who get the same bytes.
    struct Group {
        std::string name;
        protocol::Format format;
        FilterPtr filter;
        std::vector<Listener> listeners;
    };
    static FramePtr frame(const Group& group, const broker::Entry& entry, const Frames& frames, std::string_view plain);

    std::vector<Group> groups_;
};

}  // namespace realtime
