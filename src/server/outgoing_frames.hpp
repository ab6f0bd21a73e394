#pragma once

#include <span>
#include <vector>

#include "net/write_queue.hpp"
#include "protocol/frame.hpp"
#include "server/deflated_frames.hpp"

namespace server {

/// Frames as WebSockets of a shard write them. Shard-owned.
class OutgoingFrames {
public:
    /// With `deflated`, which outlives it, they are compressed.
    explicit OutgoingFrames(DeflatedFrames* deflated = nullptr) : deflated_(deflated) {}

    /// Looked at once for all who are sent it one after the other, as a broadcast is. Nothing else comes into these blocks, so that one
    /// broadcast stands behind the other.
    const net::Piece& of(const protocol::FramePtr& frame) {
        if (frame != last_) {
            piece_ = blocks_.of(for_one(frame));
            last_ = frame;
        }
        return piece_;
    }
    /// Likewise for frames of which one is behind the other: they are few pieces.
    std::span<const net::Piece> of(std::span<const protocol::FramePtr> run) {
        if (run.size() != run_size_ || run.front() != run_first_ || run.back() != run_last_) {
            run_.clear();
            for (const auto& frame : run) {
                auto piece = blocks_.of(for_one(frame));
                if (run_.empty() || !run_.back().extend(piece)) run_.push_back(std::move(piece));
            }
            run_size_ = run.size();
            run_first_ = run.front();
            run_last_ = run.back();
        }
        return run_;
    }
    net::Bytes for_one(const protocol::FramePtr& frame) { return deflated_ ? deflated_->of(frame) : net::Bytes{frame, &frame->bytes}; }
    /// Null when messages are not compressed.
    net::MessageDeflate* deflate() { return deflated_ ? &deflated_->deflate() : nullptr; }

private:
    DeflatedFrames* deflated_;
    net::Blocks blocks_;
    protocol::FramePtr last_;
    net::Piece piece_;
    std::vector<net::Piece> run_;
    std::size_t run_size_ = 0;
    protocol::FramePtr run_first_, run_last_;  // who has both, and as many, has all between
};

}  // namespace server
