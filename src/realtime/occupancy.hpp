#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/message.hpp"

namespace realtime {

/// How many use a channel, and how (CHM2): attachments, those of them with the mode, and members.
struct OccupancyMetrics {
    std::size_t connections = 0, publishers = 0, subscribers = 0;
    std::size_t presence_connections = 0, presence_subscribers = 0, presence_members = 0;
    std::size_t object_publishers = 0, object_subscribers = 0;
    friend bool operator==(const OccupancyMetrics&, const OccupancyMetrics&) = default;
};

/// As a client reads it: {"metrics":{…}}.
/// `category` is what an attachment's param `occupancy` asked for: "metrics" is all of them, "metrics.subscribers" that one alone.
std::string to_json(const OccupancyMetrics& metrics, std::string_view category = "metrics");
bool is_occupancy_category(std::string_view text);
/// What such an attachment is sent. It has no channelSerial: it is not of the channel's history.
protocol::ProtocolMessage occupancy_message(const std::string& channel, std::string_view category, const OccupancyMetrics& metrics);

/// The counts of a channel on its home shard. `presence_members` is the PresenceSet's business.
class Occupancy {
public:
    /// An attachment with these modes comes (+1) or goes (-1).
    void count(std::int64_t modes, bool wants_occupancy, int change);

    const OccupancyMetrics& metrics() const { return metrics_; }
    bool wanted() const { return wanted_ > 0; }  // somebody's attachment is told of changes
    bool empty() const { return metrics_.connections == 0; }

private:
    OccupancyMetrics metrics_;
    std::size_t wanted_ = 0;
};

}  // namespace realtime
