#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "protocol/message.hpp"

/// No frame that we send exceeds maxFrameSize (CD2d): what is to be ordered must fit one, and lists that we make go out in parts.
namespace protocol {

/// What the messages of one frame may take of it.
inline constexpr std::size_t frame_content_bytes_max = base::limits::frame_bytes_max - base::limits::envelope_bytes_max;

/// What one takes in a frame at most, in either format, with all that a server stamps on it.
std::size_t encoded_bytes_most(const Message& message);
std::size_t encoded_bytes_most(const PresenceMessage& message);
std::size_t encoded_bytes_most(const Annotation& annotation);
template <class T>
std::size_t encoded_bytes_most(const std::vector<T>& all) {
    std::size_t bytes = 0;
    for (const auto& each : all) bytes += encoded_bytes_most(each);
    return bytes;
}

/// Whether this fits a frame in both formats, under every name that its channel may be called by. Cheap, unless it comes close.
bool fits_frame(const ProtocolMessage& message);
bool fits_frame(const Message& message);

/// The list in parts, in order: none larger than `bytes_max` as encoded_bytes_most() counts, unless it has one element alone, nor
/// longer than `count_max`. At least one, perhaps empty.
template <class T>
std::vector<std::vector<T>> in_parts(std::vector<T> all, std::size_t bytes_max = frame_content_bytes_max,
                                     std::size_t count_max = SIZE_MAX) {
    std::vector<std::vector<T>> parts(1);
    std::size_t bytes = 0;
    for (auto& each : all) {
        const auto more = encoded_bytes_most(each);
        if (!parts.back().empty() && (bytes + more > bytes_max || parts.back().size() == count_max)) {
            parts.emplace_back();
            bytes = 0;
        }
        bytes += more;
        parts.back().push_back(std::move(each));
    }
    return parts;
}

/// How many elements at the front make a page: `count_max` at most, which take no more than `bytes_max` unless it is one alone.
template <class T>
std::size_t count_within(const std::vector<T>& all, std::size_t count_max, std::size_t bytes_max) {
    std::size_t count = 0, bytes = 0;
    for (; count < std::min(all.size(), count_max); ++count) {
        bytes += encoded_bytes_most(all[count]);
        if (count > 0 && bytes > bytes_max) break;
    }
    return count;
}

}  // namespace protocol
