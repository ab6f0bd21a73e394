#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "broker/broker.hpp"
#include "connector/config.hpp"
#include "postgres/lsn.hpp"

namespace connector {

using postgres::Lsn;

/// Takes one change for a channel. `done` is called once, on the connector's shard, at once or later. After an error that is the
/// server's (5xx, 429) the change is handed in again, and all behind it; so that they keep their order, a sink that has failed
/// one for an address fails the next ones too, until that one comes again. After any other error the change is logged and passed
/// by: it would be refused again.
using Sink =
    std::function<void(const std::string& address, broker::Draft draft, std::move_only_function<void(base::Result<void>)> done)>;
bool is_transient(base::ErrorCode code);  // of a sink's error: the server's

/// `standby`: another connector reads the slot. `snapshot`: the rows that were there are being published, before the stream begins.
enum class State : std::uint8_t { down, standby, snapshot, streaming };

/// How it is doing, as of about a second ago.
struct Status {
    State state = State::down;
    std::string reason;                          // of not streaming, for an operator
    std::uint64_t changes = 0;                   // messages that were published and acknowledged, snapshot and SQL messages too
    std::uint64_t refused = 0, unaddressed = 0;  // changes that could not be published, or had no channel to go to: passed by
    std::uint64_t gaps = 0;                      // times that changes of a fed table were missing
    std::uint64_t snapshot_rows = 0;             // places that rows of the snapshot have used
    Lsn delivered, confirmed;                    // all before it is acknowledged; and told to the server
    std::uint64_t lag_bytes = 0;                 // of WAL behind the server's end that is not delivered
    std::chrono::milliseconds lag{0};            // since what comes next was written
    std::string wal_status;                      // of the slot, as pg_replication_slots has it
    std::optional<std::int64_t> safe_wal_bytes;  // that may be written before the slot can be lost; unset: any number

    /// What came of a change, for good; one that was refused is logged.
    void count(broker::WalPlace place, const base::Result<void>& result);
};

/// What the connector says, on its shard.
struct Events {
    Sink sink;
    /// The last change of a transaction, or of a part of the snapshot, was handed to the sink. May be empty.
    std::function<void()> on_commit{};
    /// What was handed in and not acknowledged will be handed in again. May be empty.
    std::function<void()> on_restart{};
    /// Once per channel of a process, before its first change: everything up to `place` was published in the past.
    std::function<void(const std::string& address, broker::WalPlace place)> on_start;
    /// As broker::Broker::start_under; may be empty.
    std::function<void(const std::string& prefix, broker::WalPlace place, bool all)> on_start_under{};
    /// Changes before `place` are missing on this channel, or on any whose address starts so: its table was another one for a while, or
    /// was not published. Nobody who was there before can go on. May be empty.
    std::function<void(const std::string& address, bool is_prefix, broker::WalPlace place)> on_gap{};
    /// Once: everything committed before the connector started has been published and acknowledged.
    std::function<void()> on_caught_up;
    /// At every change of either; `reason` of being down is for an operator.
    std::function<void(State state, const std::string& reason)> on_state;
    /// About once a second while it streams. May be empty.
    std::function<void(const Status& status)> on_status{};
};

/// Reads the WAL of a database and publishes every change of the fed tables, in commit order, each under an id that is its place
/// in the WAL: a change that is read again gets the same id again. Shard-owned. The database needs our schema
/// (postgres::migrate).
class Connector {
public:
    /// With at least one feed. Begins at once, and tries for ever: a database that is away, or not set up, is a state and not an
    /// end.
    Connector(boost::asio::io_context& io, Config config, Events events);
    ~Connector();  // no event after this; what is in flight comes again at the next start
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    /// Other feeds from here on. Of tables that were fed before nothing is lost or said twice; one that is added is fed from soon on.
    void reconfigure(std::vector<Feed> feeds);

    Status status() const;

private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace connector
