#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// What each payload says of itself. Written as text that every protocol carries as it is:
///   payload := "~pal~" channel:hex4 number:hex8 due_ns:hex16 "x"*
struct Stamp {
    std::uint32_t channel = 0;  // below 65,536
    std::uint32_t number = 0;   // of the channel's messages, from 0
    std::int64_t due_ns = 0;

    friend bool operator==(const Stamp&, const Stamp&) = default;
};

inline constexpr std::size_t stamp_bytes = 33;

/// Appends a payload of `bytes` bytes, at least those of the stamp.
void append_payload(std::string& out, const Stamp& stamp, std::size_t bytes);

/// The stamp at the beginning of a text, when there is one.
std::optional<Stamp> read_stamp(std::string_view text);

/// Finds the stamps in what a server sends, without decoding it: frames look alike, so it looks first where the last one was.
class StampScanner {
public:
    explicit StampScanner(std::size_t payload_bytes) : payload_bytes_(payload_bytes) {}

    /// Calls on_stamp(stamp) for each; gives how many there were.
    template <class OnStamp>
    std::size_t scan(std::string_view frame, OnStamp&& on_stamp) {
        std::size_t found = 0;
        for (auto at = find(frame, 0, hint_); at != frame.npos; at = find(frame, at + payload_bytes_, frame.npos)) {
            const auto stamp = read_stamp(frame.substr(at));
            if (!stamp) break;
            if (found++ == 0) hint_ = at;
            on_stamp(*stamp);
        }
        return found;
    }

private:
    static std::size_t find(std::string_view frame, std::size_t from, std::size_t hint);

    std::size_t payload_bytes_;
    std::size_t hint_ = 0;
};

}  // namespace bench
