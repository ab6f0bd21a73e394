#pragma once

#include <cstddef>
#include <span>

#include "protocol/frame.hpp"

namespace realtime {

/// The socket end of a connection. Belongs to the connection's shard. Whoever has one may call it from within a delivery:
/// nothing here calls back.
class Transport {
public:
    virtual ~Transport() = default;

    /// Queues a frame that others are sent too; what is queued goes out together, in order, when the shard's turn of the loop ends.
    virtual void send(const protocol::FramePtr& frame) = 0;
    /// … frames that others are sent too, in this order.
    virtual void send_run(std::span<const protocol::FramePtr> frames) {
        for (const auto& frame : frames) send(frame);
    }
    /// … a frame for this one alone.
    virtual void answer(const protocol::FramePtr& frame) { send(frame); }
    /// Of those, bytes that the client has not taken yet.
    virtual std::size_t backlog() const { return 0; }
    /// A WebSocket ping or its like: keeps a client that counts transport activity from giving up (RTN23b), and is answered by one
    /// that is there.
    virtual void ping() = 0;
    /// Was nothing sent since this was last asked?
    virtual bool was_idle() = 0;
    /// Did anything come from the client since this was last asked, or does it wait, or was it not read from?
    virtual bool was_heard() = 0;
    /// Stops or goes on reading from the client: a bound on what it may have in flight.
    virtual void set_reading(bool reading) = 0;
    /// The connection is done with this transport: closes it once what was queued is written.
    virtual void finish() = 0;
};

}  // namespace realtime
