#include "realtime/selection.hpp"

#include <algorithm>

namespace realtime {
namespace {

/// The places of the messages that match, in order.
std::vector<std::size_t> matching(const std::vector<protocol::Message>& messages, const protocol::Filter& filter) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (filter.matches(protocol::Filter::subject(messages[i]))) places.push_back(i);
    }
    return places;
}

}  // namespace

std::optional<Selection> select(const broker::Entry& entry, std::string_view name, const FilterPtr& filter) {
    const auto& all = entry.message.messages;
    std::vector<std::size_t> places;
    if (filter) {
        places = matching(all, *filter);
        if (places.empty()) return std::nullopt;
    }
    Selection selection{.message = entry.message, .last = filter ? places.back() : std::max<std::size_t>(all.size(), 1) - 1};
    selection.message.channel = name;
    if (places.size() < all.size() && filter) {
        selection.message.messages.clear();
        for (const auto place : places) selection.message.messages.push_back(all[place]);
    }
    return selection;
}

}  // namespace realtime
