#pragma once

#include "net/write_queue.hpp"
#include "protocol/frame.hpp"
#include "server/deflated_frames.hpp"

namespace server {

/// Frames as WebSockets of a shard write them: each is looked at once for all who are sent it one after the other, as a broadcast is.
/// Shard-owned.
class OutgoingFrames {
public:
    /// With `deflated` they are compressed. Both outlive it.
    explicit OutgoingFrames(net::Blocks& blocks, DeflatedFrames* deflated = nullptr) : blocks_(blocks), deflated_(deflated) {}

    const net::Piece& of(const protocol::FramePtr& frame) {
        if (frame != last_) {
            piece_ = blocks_.of(deflated_ ? deflated_->of(frame) : net::Bytes{frame, &frame->bytes});
            last_ = frame;
        }
        return piece_;
    }
    /// Null when messages are not compressed.
    net::MessageDeflate* deflate() { return deflated_ ? &deflated_->deflate() : nullptr; }

private:
    net::Blocks& blocks_;
    DeflatedFrames* deflated_;
    protocol::FramePtr last_;
    net::Piece piece_;
};

}  // namespace server
