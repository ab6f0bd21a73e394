#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"
#include "protocol/filter.hpp"

namespace realtime {

/// Null lets every message through.
using FilterPtr = std::shared_ptr<const protocol::Filter>;

/// An entry's messages as filters look at them: made once, when the first one looks.
class Subjects {
public:
    explicit Subjects(const broker::Entry& entry) : entry_(entry) {}
    const protocol::JsonValue& of(std::size_t message);

private:
    const broker::Entry& entry_;
    std::vector<protocol::JsonValue> all_;
};

/// What those who call a channel by some name, perhaps through a filter, are sent of an entry.
struct Selection {
    protocol::ProtocolMessage message;  // under that name, with the messages that match
    std::size_t last = 0;               // the place in the entry of the last one
};
/// Nothing when none matches.
std::optional<Selection> select(const broker::Entry& entry, Subjects& subjects, std::string_view name, const FilterPtr& filter);

}  // namespace realtime
