#pragma once

#include <atomic>

#include "base/metrics.hpp"
#include "connector/connector.hpp"

namespace app {

/// What a connector has done, for Prometheus. Written on its shard, read by any thread.
struct ConnectorMetrics {
    base::Counter changes, bytes, published, refused;  // handed to the sink; of those, acknowledged and passed by
    base::Counter restarts;                            // of the stream, the first one too
    base::Durations commit_to_publish;                 // from a change's commit to its acknowledgement
    std::atomic<std::int64_t> last_commit_ms{0};       // of what was published last
    std::atomic<std::uint64_t> lag_bytes{0}, unaddressed{0}, gaps{0};
    std::atomic<std::int64_t> lag_ms{0}, safe_wal_bytes{-1};  // -1: any number
    std::atomic<bool> streaming{false}, publishing{true};

    void write(base::MetricsText& out) const;
};

/// The same events, counted.
connector::Events counted(connector::Events events, ConnectorMetrics& metrics);

}  // namespace app
