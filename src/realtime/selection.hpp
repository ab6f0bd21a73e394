#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "broker/broker.hpp"
#include "protocol/filter.hpp"

namespace realtime {

/// Null lets every message through.
using FilterPtr = std::shared_ptr<const protocol::Filter>;

/// What those who call a channel by some name, perhaps through a filter, are sent of an entry.
struct Selection {
    protocol::ProtocolMessage message;  // under that name, with the messages that match
    std::size_t last = 0;               // the place in the entry of the last one
};
/// Nothing when none matches.
std::optional<Selection> select(const broker::Entry& entry, std::string_view name, const FilterPtr& filter);

}  // namespace realtime
