#include "protocol/frame.hpp"

#include "protocol/codec.hpp"

namespace protocol {
namespace {

/// RFC 6455 §5.2, from server to client: one final, unmasked frame.
void append_header(std::string& bytes, Format format, std::size_t payload_bytes) {
    constexpr unsigned char final_text = 0x81, final_binary = 0x82;
    bytes += static_cast<char>(format == Format::json ? final_text : final_binary);
    int length_bytes = 0;
    if (payload_bytes < 126) {
        bytes += static_cast<char>(payload_bytes);
    } else if (payload_bytes < 65'536) {
        bytes += static_cast<char>(126);
        length_bytes = 2;
    } else {
        bytes += static_cast<char>(127);
        length_bytes = 8;
    }
    while (length_bytes-- > 0) bytes += static_cast<char>(payload_bytes >> (8 * length_bytes) & 0xff);
}

}  // namespace

FramePtr make_frame(Format format, std::string_view payload) {
    constexpr std::size_t header_bytes_max = 10;
    auto frame = std::make_shared<Frame>();
    frame->bytes.reserve(header_bytes_max + payload.size());
    append_header(frame->bytes, format, payload.size());
    frame->payload_offset = static_cast<std::uint8_t>(frame->bytes.size());
    frame->bytes += payload;
    return frame;
}

FramePtr make_frame(Format format, const ProtocolMessage& message) { return make_frame(format, encode(format, message)); }

}  // namespace protocol
