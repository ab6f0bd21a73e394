#include "protocol/frame.hpp"

#include "protocol/codec.hpp"

namespace protocol {
namespace {

constexpr std::size_t usual_header_bytes = 4;

/// RFC 6455 §5.2, from server to client: one final, unmasked frame. Into the place that was left in front of the payload.
FramePtr finished(std::shared_ptr<Frame> frame, Format format) {
    auto& bytes = frame->bytes;
    const auto payload_bytes = bytes.size() - usual_header_bytes;
    const std::size_t length_bytes = payload_bytes < 126 ? 0 : payload_bytes < 65'536 ? 2 : 8;
    const auto header_bytes = 2 + length_bytes;
    if (header_bytes < usual_header_bytes) bytes.erase(0, usual_header_bytes - header_bytes);
    if (header_bytes > usual_header_bytes) bytes.insert(0, header_bytes - usual_header_bytes, '\0');
    constexpr unsigned char final_text = 0x81, final_binary = 0x82;
    bytes[0] = static_cast<char>(format == Format::json ? final_text : final_binary);
    bytes[1] = static_cast<char>(length_bytes == 0 ? payload_bytes : length_bytes == 2 ? 126 : 127);
    for (std::size_t i = 0; i < length_bytes; ++i) bytes[2 + i] = static_cast<char>(payload_bytes >> (8 * (length_bytes - 1 - i)) & 0xff);
    frame->payload_offset = static_cast<std::uint8_t>(header_bytes);
    return frame;
}

std::shared_ptr<Frame> begun(std::size_t payload_bytes) {
    auto frame = std::make_shared<Frame>();
    frame->bytes.reserve(usual_header_bytes + payload_bytes);
    frame->bytes.resize(usual_header_bytes);
    return frame;
}

}  // namespace

FramePtr make_frame(Format format, std::string_view payload) {
    auto frame = begun(payload.size());
    frame->bytes += payload;
    return finished(std::move(frame), format);
}

FramePtr make_frame(Format format, const ProtocolMessage& message) {
    constexpr std::size_t usual_bytes = 508;
    auto frame = begun(usual_bytes);
    encode(format, message, frame->bytes);
    return finished(std::move(frame), format);
}

}  // namespace protocol
