#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/link.hpp"
#include "bench/sequence_check.hpp"
#include "protocol/message.hpp"

namespace bench {

/// A subscriber that attaches and then reads so many bytes a second, or nothing, until it is told to catch up. When the server has
/// dropped it, it comes back, resumes where it was, and counts what it gets. Ably's protocol only; waits for what it needs, so one or
/// two of them go with a load and no more.
class SlowReader {
public:
    SlowReader(const Endpoint& server, std::string key, bool msgpack, std::string channel);

    /// Connects and attaches. Throws std::runtime_error when that fails.
    void attach();
    /// Reads what it is to have read by now.
    void sip(std::int64_t now_ns, double bytes_per_s);
    /// Reads until it has the first `sent` messages of the channel, or nothing has come for `patience_s`.
    void catch_up(std::uint32_t sent, double patience_s);

    std::uint64_t drops() const { return drops_; }
    /// Of those drops, after how many it was told that nothing is missing.
    std::uint64_t resumes() const { return resumes_; }
    std::uint64_t missing(std::uint32_t sent) const { return check_.missing(sent); }
    std::uint64_t duplicates() const { return check_.duplicates() + check_.reordered(); }

private:
    void connect();
    void send(const protocol::ProtocolMessage& message);
    bool read(double patience_s);  // false when the connection has ended
    void hear(const protocol::ProtocolMessage& message);
    void come_back();

    Endpoint server_;
    protocol::Format format_;
    std::string key_, channel_, connection_key_, channel_serial_;
    std::unique_ptr<Link> link_;
    std::vector<char> buffer_;
    std::string incomplete_;
    bool open_ = false, attached_ = false;
    std::uint64_t drops_ = 0, resumes_ = 0;
    std::int64_t sips_since_ns_ = 0;
    double sipped_bytes_ = 0;
    SequenceCheck check_;
};

}  // namespace bench
