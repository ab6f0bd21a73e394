#pragma once

#include "net/permessage_deflate.hpp"
#include "net/tcp_connection.hpp"
#include "protocol/frame.hpp"

namespace server {

/// Frames for WebSockets that compress: each is compressed once for all who are sent it one after the other, as a broadcast is.
/// Shard-owned.
class DeflatedFrames {
public:
    /// As it is when it is small, or would not be smaller.
    net::Bytes of(const protocol::FramePtr& frame);
    net::MessageDeflate& deflate() { return deflate_; }

private:
    net::Bytes made_of(const protocol::FramePtr& frame);

    net::MessageDeflate deflate_;
    protocol::FramePtr last_;
    net::Bytes last_made_;
};

}  // namespace server
