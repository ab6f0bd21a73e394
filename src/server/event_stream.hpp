#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/http_stream.hpp"
#include "realtime/hub.hpp"
#include "server/call.hpp"
#include "server/event_text.hpp"

namespace server {

/// GET /sse and /event-stream: what is said on some channels, for who has no SDK (Ably's documentation, "SSE and Raw HTTP Streaming
/// API"). It is a connection of its own that attaches, and does nothing else. Shard-owned, by the answer that goes on.
class EventStream final : public realtime::Transport, public std::enable_shared_from_this<EventStream> {
public:
    /// Answers the call. What its params cannot mean and its credentials do not allow is refused as any request is.
    static void open(net::Shard& shard, realtime::Hub& hub, Call call);

    struct Options {
        EventText::Form form;
        std::vector<std::string> channels;
        std::vector<std::string> position;  // to go on from; empty: from now on
        std::string rewind;                 // channel param (RTL4k)
    };
    /// Errors: invalid_parameter_value; those of access().
    static base::Result<Options> options_of(const Call& call);

    EventStream(net::Shard& shard, realtime::Hub& hub, Options options, std::shared_ptr<net::HttpStream> answer);

    void send(const protocol::FramePtr& frame) override;
    void ping() override {}
    bool was_idle() override { return std::exchange(idle_, true); }
    bool was_heard() override { return true; }  // it has nothing to say
    void set_reading(bool) override {}
    void finish() override;

private:
    void connect(auth::Identity identity);
    void attach();
    void gone();

    net::Shard& shard_;
    realtime::Hub& hub_;
    Options options_;
    EventText text_;
    std::shared_ptr<net::HttpStream> answer_;
    realtime::Connection* connection_ = nullptr;  // until it is finished with us
    bool idle_ = false;
};

}  // namespace server
