#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "broker/broker.hpp"
#include "connector/config.hpp"

namespace connector {

/// Takes one change for a channel. `done` is called once, on the connector's shard, at once or later. After an error that is the
/// server's (5xx, 429) the change is handed in again, and all behind it; so that they keep their order, a sink that has failed
/// one for an address fails the next ones too, until that one comes again. After any other error the change is logged and passed
/// by: it would be refused again.
using Sink =
    std::function<void(const std::string& address, broker::Draft draft, std::move_only_function<void(base::Result<void>)> done)>;

enum class State : std::uint8_t { down, streaming };

/// What the connector says, on its shard.
struct Events {
    Sink sink;
    /// The open transaction's last change was handed to the sink. May be empty.
    std::function<void()> on_commit;
    /// What was handed in and not acknowledged will be handed in again. May be empty.
    std::function<void()> on_restart;
    /// Once per fed channel of a process, before the first change: everything up to `place` was published in the past.
    std::function<void(const std::string& address, broker::WalPlace place)> on_start;
    /// Once: everything committed before the connector started has been published and acknowledged.
    std::function<void()> on_caught_up;
    /// At every change of either; `reason` of being down is for an operator.
    std::function<void(State state, const std::string& reason)> on_state;
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

private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace connector
