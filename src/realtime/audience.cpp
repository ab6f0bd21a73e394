#include "realtime/audience.hpp"

#include <algorithm>
#include <map>

#include "base/assert.hpp"
#include "protocol/codec.hpp"

namespace realtime {
namespace {

constexpr std::array formats{protocol::Format::json, protocol::Format::msgpack};

constexpr std::size_t index_of(protocol::Format format) { return static_cast<std::size_t>(format); }

/// Who is to be sent an entry, and how many that were.
class Wanted {
public:
    explicit Wanted(const protocol::ProtocolMessage& message)
        : mode_(mode_for(message.action)), presence_(message.action == protocol::Action::presence), from_(message.connection_id) {}

    bool by(const Audience::Listener& listener) {
        // RTP17a: of its own members a client is told in any case. Nothing else is worth comparing ids for.
        const bool own_member = presence_ && *listener.connection_id == from_;
        const bool wanted = own_member ? (listener.modes & (mode_ | protocol::flag::presence)) != 0
                                       : (listener.modes & mode_) != 0 && (listener.echo || *listener.connection_id != from_);
        if (wanted) ++listeners_;
        return wanted;
    }
    std::size_t listeners() const { return listeners_; }

private:
    std::size_t listeners_ = 0;
    std::int64_t mode_;
    bool presence_;
    const std::string& from_;
};

}  // namespace

FramePtr encode_as(const broker::Entry& entry, protocol::Format format, std::string_view channel) {
    if (channel == entry.message.channel) return protocol::make_frame(format, entry.message);
    auto renamed = entry.message;
    renamed.channel = channel;
    return protocol::make_frame(format, renamed);
}

std::vector<Audience::Group>::iterator Audience::find(const std::string& name, bool deltas, bool whole_appends) {
    return std::ranges::find_if(groups_, [&](const Group& each) {
        return each.view.deltas == deltas && each.view.whole_appends == whole_appends && each.view.name == name;
    });
}

void Audience::add(const View& view, protocol::Format format, Listener listener, const LastSent& before) {
    auto group = find(view.name, view.deltas, view.whole_appends);
    if (group == groups_.end()) group = groups_.insert(groups_.end(), Group{.view = view, .last = before});
    if (before.entry && before == group->last) listener.heard = group->sent;
    auto& listeners = group->listeners[index_of(format)];
    *listener.seat = {.deltas = view.deltas, .whole_appends = view.whole_appends, .index = listeners.size()};
    listeners.push_back(listener);
}

void Audience::remove(const std::string& name, protocol::Format format, Seat seat) {
    const auto group = find(name, seat.deltas, seat.whole_appends);
    PAL_ASSERT(group != groups_.end());
    auto& listeners = group->listeners[index_of(format)];
    PAL_ASSERT(seat.index < listeners.size());
    if (seat.index + 1 < listeners.size()) {
        listeners[seat.index] = listeners.back();  // their order among themselves means nothing
        *listeners[seat.index].seat = seat;
    }
    listeners.pop_back();
    if (std::ranges::all_of(group->listeners, [](const auto& each) { return each.empty(); })) groups_.erase(group);
}

std::size_t Audience::deliver(const Delivery& delivery, std::string_view plain) {
    const auto& entry = delivery.entry;
    Wanted wanted{entry->message};
    Subjects subjects{*entry};
    std::size_t as_wanted = 0;
    for (auto& group : groups_) {
        if (entry->message.action == protocol::Action::message && (group.view.filter || group.view.deltas)) {
            as_wanted += deliver_as_wanted(group, delivery, subjects);
            continue;
        }
        for (const auto format : formats) {
            const auto& listeners = group.listeners[index_of(format)];
            if (listeners.empty()) continue;
            const auto frame = frame_of(group, format, delivery, plain);
            for (const auto& listener : listeners) {
                if (wanted.by(listener)) listener.transport->send(frame);
            }
        }
    }
    return wanted.listeners() + as_wanted;
}

FramePtr Audience::frame_of(const Group& group, protocol::Format format, const Delivery& delivery, std::string_view plain) {
    if (delivery.whole && group.view.whole_appends) return encode_as(*delivery.whole, format, group.view.name);
    const auto& made = delivery.frames[index_of(format)];
    return made && group.view.name == plain ? made : encode_as(*delivery.entry, format, group.view.name);
}

void Audience::deliver(std::span<Delivery> run, std::string_view plain) {
    const bool only_messages =
        std::ranges::all_of(run, [](const auto& each) { return each.entry->message.action == protocol::Action::message; });
    if (run.size() == 1 || !only_messages) {
        for (auto& each : run) each.told += deliver(each, plain);
        return;
    }
    std::vector<Subjects> subjects;
    for (const auto& each : run) subjects.emplace_back(*each.entry);
    for (auto& group : groups_) {
        if (group.view.filter || group.view.deltas) {
            for (std::size_t i = 0; i < run.size(); ++i) run[i].told += deliver_as_wanted(group, run[i], subjects[i]);
            continue;
        }
        for (const auto format : formats) {
            const auto& listeners = group.listeners[index_of(format)];
            if (listeners.empty()) continue;
            std::vector<FramePtr> frames;
            frames.reserve(run.size());
            for (const auto& each : run) frames.push_back(frame_of(group, format, each, plain));
            deliver_all(listeners, run, frames);
        }
    }
}

void Audience::deliver_all(const std::vector<Listener>& listeners, std::span<Delivery> run, std::span<const FramePtr> frames) {
    std::size_t told_all = 0;
    for (const auto& listener : listeners) {
        if ((listener.modes & protocol::flag::subscribe) == 0) continue;
        const auto is_own = [&](const Delivery& each) { return each.entry->message.connection_id == *listener.connection_id; };
        if (listener.echo || std::ranges::none_of(run, is_own)) {
            listener.transport->send_run(frames);
            ++told_all;
            continue;
        }
        for (std::size_t i = 0; i < run.size(); ++i) {
            if (is_own(run[i])) continue;
            listener.transport->send(frames[i]);
            ++run[i].told;
        }
    }
    for (auto& each : run) each.told += told_all;
}

std::size_t Audience::deliver_as_wanted(Group& group, const Delivery& delivery, Subjects& subjects) {
    if (!delivery.whole || !group.view.whole_appends) return deliver_as_wanted(group, delivery.entry, subjects);
    Subjects of_whole{*delivery.whole};
    return deliver_as_wanted(group, delivery.whole, of_whole);
}

/// To those who want what passes a filter, or what changed since the last message that they were sent.
std::size_t Audience::deliver_as_wanted(Group& group, const broker::EntryPtr& entry, Subjects& subjects) {
    const auto selection = select(*entry, subjects, group.view.name, group.view.filter);
    if (!selection) return 0;
    Wanted wanted{entry->message};
    std::optional<protocol::ProtocolMessage> changes;  // made for the first who has the last message
    const auto message_for = [&](bool has_last) -> const protocol::ProtocolMessage& {
        if (!has_last) return selection->message;
        if (!changes) {
            changes = selection->message;
            make_deltas(changes->messages, group.last.message());
        }
        return *changes;
    };
    for (const auto format : formats) {
        Frames frames;  // whole, and of changes
        for (auto& listener : group.listeners[index_of(format)]) {
            if (!wanted.by(listener)) continue;
            const bool has_last = group.view.deltas && listener.heard == group.sent;
            auto& frame = frames[has_last ? 1 : 0];
            if (!frame) frame = protocol::make_frame(format, message_for(has_last));
            listener.transport->send(frame);
            listener.heard = group.sent + 1;
        }
    }
    ++group.sent;
    if (group.view.deltas) group.last = {.entry = entry, .index = selection->last};
    return wanted.listeners();
}

void Audience::deliver(const OccupancyMetrics& metrics) {
    for (auto& group : groups_) {
        for (const auto format : formats) {
            std::map<std::string_view, FramePtr> frames;  // by category
            for (auto& listener : group.listeners[index_of(format)]) {
                if (!listener.occupancy || listener.occupancy->empty()) continue;
                auto& frame = frames[*listener.occupancy];
                if (!frame) frame = protocol::make_frame(format, occupancy_message(group.view.name, *listener.occupancy, metrics));
                listener.transport->send(frame);
                listener.heard = 0;  // to its decoder this is the last message now
            }
        }
    }
}

}  // namespace realtime
