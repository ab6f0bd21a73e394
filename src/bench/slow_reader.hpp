#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/link.hpp"
#include "bench/sequence_check.hpp"
#include "protocol/message.hpp"

namespace bench {

/// A subscriber that attaches and then reads nothing until it is told to. The server may drop it meanwhile: then it comes back,
/// resumes where it was, and counts what it gets. Ably's protocol only; waits for what it needs, so it is used before and after a
/// run.
class SlowReader {
public:
    SlowReader(const Endpoint& server, std::string key, bool msgpack, std::string channel);

    /// Connects and attaches. Throws std::runtime_error when that fails.
    void attach();
    /// Reads until it has the first `sent` messages of the channel, or nothing has come for `patience_s`.
    void catch_up(std::uint32_t sent, double patience_s);

    bool was_dropped() const { return dropped_; }
    bool was_resumed() const { return resumed_; }
    std::uint64_t missing(std::uint32_t sent) const { return check_.missing(sent); }
    std::uint64_t duplicates() const { return check_.duplicates() + check_.reordered(); }

private:
    void connect();
    void send(const protocol::ProtocolMessage& message);
    bool read(double patience_s);  // false when the connection has ended
    void hear(const protocol::ProtocolMessage& message);

    Endpoint server_;
    protocol::Format format_;
    std::string key_, channel_, connection_key_, channel_serial_;
    std::unique_ptr<Link> link_;
    std::vector<char> buffer_;
    std::string incomplete_;
    bool open_ = false, attached_ = false, dropped_ = false, resumed_ = false;
    SequenceCheck check_;
};

}  // namespace bench
