#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "broker/position.hpp"
#include "postgres/lsn.hpp"

namespace connector {

using postgres::Lsn;

/// The last place published on each channel. Under names that no channel has: how far those may have come that are not among them,
/// and how far all of them may have.
using Tails = std::map<std::string, broker::WalPlace>;
inline const std::string other_channels, all_channels = "\n";
/// Of more channels than limits::channel_tails_max only the latter is known.
void note(Tails& tails, const std::string& channel, broker::WalPlace place);

/// What of the WAL may be confirmed, and when: what was published and acknowledged, a window later, so that a restarted broker
/// reads its recent past again; never more. Told what the stream sends, in its order. No I/O; shard-owned.
class Confirmation {
public:
    struct Options {
        std::chrono::milliseconds window = base::limits::retention;
        std::uint64_t held_bytes_max = base::limits::unconfirmed_wal_bytes_max;  // of WAL; with more, earlier than the window
    };
    explicit Confirmation(Options options) : options_(options) {}

    /// The stream begins, or begins again: what was not acknowledged will be sent again. Gives where to read from; 0 at first.
    Lsn restart();

    void begin();
    /// A change of the open transaction was handed to the sink. The ticket is its transaction's.
    std::uint64_t publish(const std::string& channel, broker::WalPlace place);
    void commit(Lsn end, base::Time now);
    /// Of one publish since the last restart.
    void acknowledge(std::uint64_t ticket, base::Time now);
    /// The server is done with all before `end`, and has sent what there was in it for us.
    void keepalive(Lsn end);

    /// All before it that concerns us is published and acknowledged.
    Lsn delivered() const { return delivered_; }

    /// What may be confirmed now, if more than before; the tails among it go to the database first.
    struct Step {
        Lsn lsn;
        Tails tails;
    };
    std::optional<Step> due(base::Time now);

private:
    /// Not acknowledged, or behind one that is not.
    struct Transaction {
        std::optional<Lsn> end;  // unset: it is still being sent
        std::size_t pending = 0;
        Tails tails;
    };
    /// Delivered, and held back for the window: the transactions of about a second.
    struct Held {
        Lsn end;
        base::Time first, last;
        Tails tails;
    };
    void deliver(base::Time now);
    void deliver_keepalive();

    Options options_;
    std::deque<Transaction> open_;
    std::uint64_t first_ticket_ = 0;  // of open_.front()
    std::deque<Held> held_;
    Lsn keepalive_, delivered_, confirmed_;
};

}  // namespace connector
