#include "server/deflated_frames.hpp"

#include "base/limits.hpp"

namespace server {

net::Bytes DeflatedFrames::of(const protocol::FramePtr& frame) {
    if (frame->payload().size() < base::limits::compressed_bytes_min) return {frame, &frame->bytes};
    const auto opcode = static_cast<net::Opcode>(frame->bytes.front() & 0x0f);
    auto compressed = net::websocket_frame(opcode, deflate_.compress(frame->payload()), true);
    if (compressed.size() >= frame->bytes.size()) return {frame, &frame->bytes};
    return std::make_shared<const std::string>(std::move(compressed));
}

}  // namespace server
