#pragma once

#include <memory>
#include <optional>

#include "broker/position.hpp"
#include "connector/config.hpp"
#include "connector/confirmation.hpp"
#include "postgres/session.hpp"

/// What the connector needs of the database before it can stream, and what it keeps there. Each step is a query or two on a
/// session.
namespace connector {

namespace asio = boost::asio;
using base::Result;
using SessionPtr = std::shared_ptr<postgres::Session>;

/// The slot's confirmed position; nothing when there is no slot. The errors say the way out of a slot that cannot be used.
asio::awaitable<Result<std::optional<Lsn>>> find_slot(SessionPtr session, Config config);

/// What is kept of the slot.
struct Kept {
    Tails tails;
    std::optional<Lsn> position;  // at or behind everything that was ever confirmed
    std::string token;  // of palimpsest.publish()
};
asio::awaitable<Result<Kept>> load_kept(SessionPtr session, std::string slot);
/// In one statement: all of it, or nothing. Without a position: only the tails. A tail never goes back.
asio::awaitable<Result<void>> store_tails(SessionPtr session, std::string slot, Tails tails, std::optional<Lsn> position);
/// Of channels below the prefix, known or not, nothing from before `lsn` can be gone on from.
asio::awaitable<Result<void>> raise_tails(SessionPtr session, std::string slot, std::string prefix, Lsn lsn);
/// Of more than limits::channel_tails_max tails the oldest go.
asio::awaitable<Result<void>> prune_tails(SessionPtr session, std::string slot);

/// Fails when what is kept and the database contradict each other: changes were lost, and going on would hide it.
Result<void> find_gap(const Config& config, const Kept& kept, std::optional<Lsn> slot, Lsn end_of_wal);

/// The slot goes on from the end of the WAL, without what is before: of what Postgres cannot decode.
asio::awaitable<Result<Lsn>> skip_to_end(SessionPtr session, std::string slot);

/// The slot is dropped, if it is there, and all that is kept of it.
asio::awaitable<Result<void>> forget_slot(SessionPtr session, std::string slot);

}  // namespace connector
