#pragma once

#include <cstdint>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error_codes.hpp"
#include "protocol/message.hpp"

namespace auth {

using base::Result;

/// What a capability grants on a channel, one bit each (Ably's "capabilities": "publish", "subscribe", "presence", …; "*" is all).
enum class Operation : std::uint32_t {
    publish = 1 << 0, subscribe = 1 << 1, presence = 1 << 2, history = 1 << 3, stats = 1 << 4,
    channel_metadata = 1 << 5, presence_subscribe = 1 << 6, annotation_publish = 1 << 7, annotation_subscribe = 1 << 8,
    message_update_own = 1 << 9, message_update_any = 1 << 10, message_delete_own = 1 << 11, message_delete_any = 1 << 12,
    object_publish = 1 << 13, object_subscribe = 1 << 14, push_subscribe = 1 << 15, push_admin = 1 << 16, privileged_headers = 1 << 17,
};
using Operations = std::uint32_t;
inline constexpr Operations all_operations = (1u << 18) - 1;
constexpr bool has(Operations set, Operation operation) { return (set & static_cast<Operations>(operation)) != 0; }

/// Operations by channel pattern: `{"chat:*":["subscribe"],"*":["presence"]}` (Ably's documentation, "Capabilities"). A pattern's
/// `*` is a whole colon-delimited segment, or at the end one or more of them. A pattern without brackets matches ordinary
/// channels, `[meta]name` that qualifier's, and `[*]name` both. Immutable once made; shared between threads.
class Capability {
public:
    /// Errors: bad_request for anything that is not an object of arrays of known operations, "*" standing alone.
    static Result<Capability> parse(std::string_view json);
    static Capability all();  // {"*":["*"]}, as Ably's own keys have it: everything on every ordinary channel

    /// The union of what every matching pattern grants on a channel's full name.
    Operations on(std::string_view channel) const;
    /// Is the operation granted anywhere?
    bool grants(Operation operation) const;

    /// Exactly what both grant: a token narrows its key's capability. Patterns meet segment by segment. Empty when nothing is left.
    Capability intersect(const Capability& other) const;
    bool empty() const { return patterns_.empty(); }
    auto patterns() const { return std::views::keys(patterns_); }

    /// Canonical: keys and operations sorted (TK2b compares the text).
    std::string to_json() const;

    friend bool operator==(const Capability&, const Capability&) = default;

private:
    std::map<std::string, Operations, std::less<>> patterns_;
};

/// Does a pattern match a channel's full name?
bool is_matched(std::string_view channel, std::string_view pattern);

/// The attachment modes (flag::publish, …) that these operations allow (RTL4l, TB2d).
std::int64_t modes_allowed(Operations operations);

}  // namespace auth
