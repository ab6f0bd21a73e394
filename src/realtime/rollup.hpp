#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "broker/broker.hpp"

namespace realtime {

using base::Time;

inline constexpr std::chrono::milliseconds append_rollup_window_max{500};  // a longer window is this one
inline constexpr std::size_t rollup_windows_max = 1'000;                   // of a connection: appends of more messages leave at once
inline constexpr std::size_t rollup_bytes_max = 262'144;                   // that wait, of a connection: more leave at once

/// Appends of one connection that wait, so that those of one message within a window leave as one (transport param
/// appendRollupWindow; Ably's documentation, "Configure rollup behaviour"). The first leaves at once and opens a window; what comes in it
/// leaves when it ends, and opens the next one. Pure.
class Rollup {
public:
    struct Leaving {
        broker::Draft draft;
        std::vector<std::int64_t> msg_serials;  // of the publishes that it is made of, in order
    };
    using Out = std::vector<Leaving>;

    explicit Rollup(std::chrono::milliseconds window = {}) : window_(window) {}

    /// Is this one that may wait?
    bool takes(const broker::Draft& draft) const;
    /// What is to leave now, in this order.
    void add(std::int64_t msg_serial, broker::Draft&& draft, Time now, Out& out);
    /// Before anything else is published on the channel.
    void flush(const std::string& channel, Out& out);
    void flush_all(Out& out);
    void end_windows(Time now, Out& out);

    bool empty() const { return windows_.empty(); }
    /// When the next window ends, in which something waits.
    std::optional<Time> next_end() const;

private:
    using Key = std::pair<std::string, std::string>;  // channel, serial
    struct Window {
        Time end;
        std::optional<Leaving> waiting;
    };
    static bool join(Leaving& waiting, const broker::Draft& next);
    static std::size_t bytes_of(const Leaving& waiting) { return size_of(waiting.draft.message.messages.front()); }
    void leave(Window& window, Out& out);

    std::chrono::milliseconds window_;
    std::map<Key, Window> windows_;
    std::size_t bytes_ = 0;  // of all that waits
};

}  // namespace realtime
