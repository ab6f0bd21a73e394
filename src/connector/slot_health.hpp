#pragma once

#include "connector/setup.hpp"

namespace connector {

/// How a slot is doing, by the server's account (pg_replication_slots).
struct SlotHealth {
    Lsn end_of_wal;
    std::string wal_status;                      // reserved, extended, unreserved or lost; empty: there is no slot
    std::optional<std::int64_t> safe_wal_bytes;  // that may still be written before it can be lost; unset: any number
    std::int64_t keep_wal_bytes = -1;            // max_slot_wal_keep_size; -1: all

    /// Less than a fifth is left of what the server keeps for it.
    bool is_endangered() const { return wal_status == "unreserved" || (safe_wal_bytes && *safe_wal_bytes * 5 < keep_wal_bytes); }
};
asio::awaitable<Result<SlotHealth>> ask_slot_health(SessionPtr session, std::string slot);

/// The process that reads the slot now, if there is one.
asio::awaitable<Result<std::optional<std::string>>> find_reader(SessionPtr session, std::string slot);

}  // namespace connector
