#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/limits.hpp"

namespace connector {

/// Which changes of a table go to which channel. A table may be fed to several channels, by operation or all to each.
struct Feed {
    std::string schema = "public", table, channel;
    bool inserts = true, updates = true, deletes = true;
};

struct Config {
    std::string conninfo;  // of a user that may replicate and owns the tables; never logged
    std::string app_id;    // addresses are `app_id/channel`
    std::string slot = "palimpsest", publication = "palimpsest";
    std::string message_name = "New message from the Ably/ Postgres connector";  // what the original connector's are called
    std::vector<Feed> feeds;
    /// How long after its acknowledgement a change is confirmed: what a broker in memory has to read again when it is restarted.
    std::chrono::milliseconds confirm_after = base::limits::retention;  // 0 for a broker that keeps what it acknowledged
    std::uint64_t unconfirmed_wal_bytes_max = base::limits::unconfirmed_wal_bytes_max;
};

}  // namespace connector
