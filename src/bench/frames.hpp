#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// A frame as a server sends it: unmasked.
struct Frame {
    Opcode opcode;
    std::string_view payload;
};

/// Takes a whole frame off the front of `bytes`; nothing, and `bytes` as it was, when there is none yet.
std::optional<Frame> take_frame(std::string_view& bytes);

/// Appends a frame as a client sends it. The mask is there, as RFC 6455 §5.3 wants, and is zero: the server unmasks as it
/// does for anybody, and we need not mask.
void append_frame(std::string& out, Opcode opcode, std::string_view payload);

}  // namespace bench
