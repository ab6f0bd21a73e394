#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/message.hpp"

namespace protocol {

/// An encoded protocol message, ready to be written to any number of WebSockets: the RFC 6455 header depends on nothing but
/// the format and the length, so it stands in front of the payload and a delivery is a write of these bytes as they are.
/// Shared, immutable.
struct Frame {
    std::string bytes;
    std::uint8_t payload_offset = 0;

    std::string_view payload() const { return std::string_view{bytes}.substr(payload_offset); }
};
using FramePtr = std::shared_ptr<const Frame>;

FramePtr make_frame(Format format, std::string_view payload);
FramePtr make_frame(Format format, const ProtocolMessage& message);

}  // namespace protocol
