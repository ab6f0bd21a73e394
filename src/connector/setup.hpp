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

/// Every fed table is there and says which row an UPDATE or DELETE meant. The error holds the SQL that mends it.
asio::awaitable<Result<void>> check_tables(SessionPtr session, Config config);

/// The publication is of exactly the fed tables. Made before the slot: a slot cannot decode with a publication younger than
/// itself.
asio::awaitable<Result<void>> ensure_publication(SessionPtr session, Config config);

/// The slot's confirmed position; nothing when there is no slot. The errors say the way out of a slot that cannot be used.
asio::awaitable<Result<std::optional<Lsn>>> find_slot(SessionPtr session, Config config);

/// The stored tails of the slot's channels.
asio::awaitable<Result<Tails>> load_tails(SessionPtr session, std::string slot);
asio::awaitable<Result<void>> store_tails(SessionPtr session, std::string slot, Tails tails);

/// Fails when the stored tails and the database contradict each other: changes were lost, and going on would hide it.
Result<void> find_gap(const Config& config, const Tails& tails, bool slot_exists, Lsn end_of_wal);

}  // namespace connector
