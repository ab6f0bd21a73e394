#pragma once

#include "net/permessage_deflate.hpp"
#include "net/tcp_connection.hpp"
#include "protocol/frame.hpp"

namespace server {

/// Frames for WebSockets that compress. Shard-owned.
class DeflatedFrames {
public:
    /// As it is when it is small, or would not be smaller.
    net::Bytes of(const protocol::FramePtr& frame);
    net::MessageDeflate& deflate() { return deflate_; }

private:
    net::MessageDeflate deflate_;
};

}  // namespace server
