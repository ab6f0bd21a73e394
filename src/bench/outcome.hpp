#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/commits.hpp"
#include "bench/histogram.hpp"
#include "bench/process_usage.hpp"

namespace bench {

/// What a run came to. Latencies count from when a message was due to be sent.
struct Outcome {
    // Connecting.
    std::size_t connections = 0;
    double connect_s = 0;           // until all were attached
    ProcessUsage empty, connected;  // the server before and after
    // Publishing, over the whole run.
    std::uint64_t sent = 0, acknowledged = 0, refused = 0;
    std::uint64_t expected = 0, delivered = 0, missing = 0, duplicates = 0, reordered = 0, misrouted = 0;
    std::uint64_t disconnected = 0;  // clients, by the server
    std::string reason;              // the last that the server gave for a refusal
    // The measured window: what was due in it, and what came of it.
    double seconds = 0;  // from its beginning to the last delivery, or acknowledgement when there are none
    std::uint64_t window_sent = 0, window_delivered = 0, window_acknowledged = 0;
    ProcessUsage window;                           // the server's
    bool generator_bound = false;                  // our core was full and the server's was not
    double generator_share = 0;                    // of a core that we used
    Histogram latency, acknowledgement, lateness;  // lateness: of our sending

    std::optional<Stages> stages;  // of rows
    std::uint64_t slow_dropped = 0, slow_resumed = 0, slow_missing = 0, slow_duplicates = 0;

    /// Everything came, once and in order.
    bool lossless() const { return missing + duplicates + reordered + misrouted + refused + disconnected == 0; }
    bool passes(double p99_ms_max) const;
    double deliveries_per_second() const { return seconds > 0 ? static_cast<double>(window_delivered) / seconds : 0; }
    double publishes_per_second() const { return seconds > 0 ? static_cast<double>(window_sent) / seconds : 0; }
    double cpu_us_per_delivery() const;
    double server_share() const { return seconds > 0 ? static_cast<double>(window.cpu_ns) / 1e9 / seconds : 0; }
    double bytes_per_connection() const;
    double connects_per_second() const { return connect_s > 0 ? static_cast<double>(connections) / connect_s : 0; }
    double cpu_us_per_connect() const;
};

/// One JSON object.
std::string to_json(const Outcome& outcome);
/// A table for people.
std::string to_table(const Outcome& outcome);

}  // namespace bench
