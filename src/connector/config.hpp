#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/limits.hpp"

namespace connector {

/// What a change is told as. Formats in docs/formats.md.
enum class Payload : std::uint8_t {
    row,      // {"table","type","row"} as a text, which is what the original connector sends
    change,   // as JSON: the new and the old values, what differs, and the transaction
    message,  // the row is a message: created, updated and deleted as the row is
};

/// Which changes of a table go to which channel. A table may be fed to several channels, by operation or all to each.
struct Feed {
    std::string schema = "public", table, channel;  // the channel's name is a template: `room:{room}`
    bool inserts = true, updates = true, deletes = true;
    std::vector<std::string> columns{};             // that subscribers get; empty: all
    std::string where{};                            // SQL: of which rows; empty: of all. Postgres 15
    Payload payload = Payload::row;
    std::string name{};                             // of the messages; empty: Config::message_name, or the table's

    friend bool operator==(const Feed&, const Feed&) = default;
};

/// Whether a new slot begins with the rows that are there.
enum class Snapshot : std::uint8_t { none, initial };

struct Config {
    std::string conninfo;  // of a user that may replicate and owns the tables; never logged
    std::string app_id;    // addresses are `app_id/channel`
    std::string slot = "palimpsest", publication = "palimpsest";
    std::string message_name = "New message from the Ably/ Postgres connector";  // what the original connector's are called
    std::vector<Feed> feeds;
    /// How long after its acknowledgement a change is confirmed: what a broker in memory has to read again when it is restarted.
    std::chrono::milliseconds confirm_after = base::limits::retention;  // 0 for a broker that keeps what it acknowledged
    std::uint64_t unconfirmed_wal_bytes_max = base::limits::unconfirmed_wal_bytes_max;
    Snapshot snapshot = Snapshot::none;
    /// A slot that cannot be gone on with is made anew, and its subscribers are told that changes are missing. Otherwise that is an error.
    bool recreate_slot = false;

    std::string address_of(const std::string& channel) const { return app_id + "/" + channel; }
    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace connector
