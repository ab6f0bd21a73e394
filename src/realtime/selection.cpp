#include "realtime/selection.hpp"

#include <algorithm>

namespace realtime {
namespace {

/// The places of the messages that match, in order.
std::vector<std::size_t> matching(std::size_t messages, Subjects& subjects, const protocol::Filter& filter) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < messages; ++i) {
        if (filter.matches(subjects.of(i))) places.push_back(i);
    }
    return places;
}

}  // namespace

const protocol::JsonValue& Subjects::of(std::size_t message) {
    if (all_.empty()) {
        for (const auto& each : entry_.message.messages) all_.push_back(protocol::Filter::subject(each));
    }
    return all_.at(message);
}

std::optional<Selection> select(const broker::Entry& entry, Subjects& subjects, std::string_view name, const FilterPtr& filter) {
    const auto& all = entry.message.messages;
    std::vector<std::size_t> places;
    if (filter) {
        places = matching(all.size(), subjects, *filter);
        if (places.empty()) return std::nullopt;
    }
    Selection selection{.message = entry.message, .last = filter ? places.back() : std::max<std::size_t>(all.size(), 1) - 1};
    selection.message.channel = name;
    if (filter && places.size() < all.size()) {
        selection.message.messages.clear();
        for (const auto place : places) selection.message.messages.push_back(all[place]);
    }
    return selection;
}

}  // namespace realtime
