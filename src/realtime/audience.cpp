#include "realtime/audience.hpp"

#include <algorithm>
#include <map>

#include "base/assert.hpp"
#include "protocol/codec.hpp"

namespace realtime {

FramePtr encode_as(const broker::Entry& entry, protocol::Format format, std::string_view channel) {
    if (channel == entry.message.channel) return protocol::make_frame(format, entry.message);
    auto renamed = entry.message;
    renamed.channel = channel;
    return protocol::make_frame(format, renamed);
}

void Audience::add(const std::string& name, protocol::Format format, const FilterPtr& filter, Listener listener) {
    auto group = std::ranges::find_if(groups_, [&](const Group& each) { return each.format == format && each.name == name; });
    if (group == groups_.end()) {
        group = groups_.insert(groups_.end(), Group{.name = name, .format = format, .filter = filter, .listeners = {}});
    }
    *listener.seat = group->listeners.size();
    group->listeners.push_back(listener);
}

void Audience::remove(const std::string& name, protocol::Format format, Seat seat) {
    const auto group = std::ranges::find_if(groups_, [&](const Group& each) { return each.format == format && each.name == name; });
    PAL_ASSERT(group != groups_.end() && seat < group->listeners.size());
    auto& listeners = group->listeners;
    if (seat + 1 < listeners.size()) {
        listeners[seat] = listeners.back();  // their order among themselves means nothing
        *listeners[seat].seat = seat;
    }
    listeners.pop_back();
    if (listeners.empty()) groups_.erase(group);
}

/// What those of a group are sent of an entry; null when that is nothing.
FramePtr Audience::frame(const Group& group, const broker::Entry& entry, const Frames& frames, std::string_view plain) {
    if (group.filter) {
        const auto selection = select(entry, group.name, group.filter);
        return selection ? protocol::make_frame(group.format, selection->message) : nullptr;
    }
    const auto& shared = frames[static_cast<std::size_t>(group.format)];
    return group.name == plain && shared ? shared : encode_as(entry, group.format, group.name);
}

void Audience::deliver(const broker::Entry& entry, const Frames& frames, std::string_view plain) const {
    const auto wanted = mode_for(entry.message.action);
    const auto& from = entry.message.connection_id;
    for (const auto& group : groups_) {
        const auto frame = this->frame(group, entry, frames, plain);
        if (!frame) continue;
        for (const auto& listener : group.listeners) {
            if ((listener.modes & wanted) == 0) continue;
            if (!listener.echo && *listener.connection_id == from) continue;
            listener.transport->send(frame);
        }
    }
}

void Audience::deliver(const OccupancyMetrics& metrics) const {
    for (const auto& group : groups_) {
        std::map<std::string_view, FramePtr> frames;  // by category
        for (const auto& listener : group.listeners) {
            if (!listener.occupancy || listener.occupancy->empty()) continue;
            auto& frame = frames[*listener.occupancy];
            if (!frame) frame = protocol::make_frame(group.format, occupancy_message(group.name, *listener.occupancy, metrics));
            listener.transport->send(frame);
        }
    }
}

}  // namespace realtime
