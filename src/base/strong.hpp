#pragma once

#include <compare>

namespace base {

/// A named type over a plain value, so that an Lsn is never passed where a MsgSerial is meant.
template <class T, class Tag>
struct Strong {
    T value{};
    friend auto operator<=>(const Strong&, const Strong&) = default;
};

}  // namespace base
