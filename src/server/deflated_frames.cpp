#include "server/deflated_frames.hpp"

#include "base/limits.hpp"

namespace server {

net::Bytes DeflatedFrames::of(const protocol::FramePtr& frame) {
    if (frame->payload().size() < base::limits::compressed_bytes_min) return {frame, &frame->bytes};
    if (frame != last_) {
        last_made_ = made_of(frame);
        last_ = frame;
    }
    return last_made_;
}

net::Bytes DeflatedFrames::made_of(const protocol::FramePtr& frame) {
    const auto opcode = static_cast<net::Opcode>(frame->bytes.front() & 0x0f);
    auto compressed = net::websocket_frame(opcode, deflate_.compress(frame->payload()), true);
    if (compressed.size() >= frame->bytes.size()) return {frame, &frame->bytes};
    return std::make_shared<const std::string>(std::move(compressed));
}

}  // namespace server
