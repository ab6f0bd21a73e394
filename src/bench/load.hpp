#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/commits.hpp"
#include "bench/link.hpp"
#include "bench/outcome.hpp"

namespace bench {

/// What to load a server with. Subscriber i follows channel i mod `channels`; each channel has one publisher, who numbers its
/// messages.
struct Workload {
    Endpoint server;
    std::string dialect = "ably-json", key;
    std::size_t channels = 1, subscribers = 0, publishers = 1;
    double active = 1;          // the share of the channels that are published on
    double rate = 0;            // messages a second on all channels together, on schedule; 0: none
    std::size_t in_flight = 0;  // instead of a schedule: so many unacknowledged by each publisher, as fast as they are acknowledged
    bool rest = false;          // publishers publish over REST, one at a time each
    std::size_t slow = 0;       // more subscribers of the first channel, who read less until all has been published
    double slow_rate = 0;       // bytes a second that each of them reads
    Database database;          // when it is given, nobody publishes: rows are committed
    std::size_t payload_bytes = 128;
    double warmup_s = 0.5, seconds = 2;
    double drain_s = 3;     // to wait for what is still to come
    std::vector<int> pids;  // of the server, to measure
};

/// Connects everyone, publishes, checks what comes, and leaves. Throws std::runtime_error when the clients cannot be connected.
Outcome run(const Workload& workload);

}  // namespace bench
