#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"
#include "realtime/delta.hpp"
#include "realtime/occupancy.hpp"
#include "realtime/selection.hpp"
#include "realtime/transport.hpp"

namespace realtime {

using protocol::FramePtr;

/// One entry's frames under the channel's plain name, by Format. Null where nobody wants that format.
using Frames = std::array<FramePtr, 2>;

/// An entry on its way to those who listen.
struct Delivery {
    broker::EntryPtr entry;
    broker::EntryPtr whole;  // of an append, for those who want that; null when nobody does
    Frames frames;
    std::size_t told = 0;  // so many
};

FramePtr encode_as(const broker::Entry& entry, protocol::Format format, std::string_view channel);

/// The mode of who is delivered what.
constexpr std::int64_t mode_for(protocol::Action action) {
    if (action == protocol::Action::presence) return protocol::flag::presence_subscribe;
    return action == protocol::Action::annotation ? protocol::flag::annotation_subscribe : protocol::flag::subscribe;
}

/// How those who get the same bytes, but for the format, call a channel and what they want of it.
struct View {
    std::string name;       // a qualified name, or the channel's own
    FilterPtr filter;       // what the name asks for
    bool deltas = false;    // each message against the one before it
    bool whole_appends = false;  // what is appended to a message comes as all of it
};

/// Those on one shard who are attached to one channel: where fan-out ends. Shard-owned.
class Audience {
public:
    /// Where a listener sits; kept by whoever added it, so that nobody is ever searched for.
    struct Seat {
        bool deltas = false, whole_appends = false;
        std::size_t index = 0;
    };
    struct Listener {
        Transport* transport = nullptr;
        const std::string* connection_id = nullptr;
        std::int64_t modes = 0;
        bool echo = true;                        // of its own messages (RTC1a)
        const std::string* occupancy = nullptr;  // the category it is told of; empty for none
        Seat* seat = nullptr;                    // all that is pointed to outlives the listener
        std::uint64_t heard = 0;                 // the last message of its group that it was sent
    };
    /// `before` is what the listener was sent last, if that was the channel's last message.
    void add(const View& view, protocol::Format format, Listener listener, const LastSent& before = {});
    void remove(const std::string& name, protocol::Format format, Seat seat);
    bool empty() const { return groups_.empty(); }

    /// Sends the entry to each listener whose modes want it. `frames` serve those who use `plain`, the channel's own name, and want
    /// all of it whole; frames for others are encoded here, once for all who get the same. How many listeners it was sent to.
    std::size_t deliver(const broker::EntryPtr& entry, const Frames& frames, std::string_view plain) {
        return deliver(Delivery{.entry = entry, .whole = nullptr, .frames = frames}, plain);
    }
    std::size_t deliver(const Delivery& delivery, std::string_view plain);
    /// One behind the other, counting who is told. To who wants all of a run it costs little more than one of them.
    void deliver(std::span<Delivery> run, std::string_view plain);
    /// Sends how the channel is used now to those who want to be told.
    void deliver(const OccupancyMetrics& metrics);

private:
    struct Group {
        View view;
        std::array<std::vector<Listener>, 2> listeners;  // by format
        std::uint64_t sent = 1;                          // counts the messages that were sent; listeners without any have heard 0
        LastSent last;
    };
    static FramePtr frame_of(const Group& group, protocol::Format format, const Delivery& delivery, std::string_view plain);
    static void deliver_all(const std::vector<Listener>& listeners, std::span<Delivery> run, std::span<const FramePtr> frames);
    std::vector<Group>::iterator find(const std::string& name, bool deltas, bool whole_appends);
    static std::size_t deliver_as_wanted(Group& group, const Delivery& delivery, Subjects& subjects);
    static std::size_t deliver_as_wanted(Group& group, const broker::EntryPtr& entry, Subjects& subjects);

    std::vector<Group> groups_;
};

}  // namespace realtime
