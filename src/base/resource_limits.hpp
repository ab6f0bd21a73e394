#pragma once

#include <chrono>
#include <cstddef>

/// The bounds of the resource model (docs/decisions/0015): what a client, an address, a channel and the process may use. With those of
/// limits.hpp these are all there are.
namespace base::limits {

using namespace std::chrono_literals;

// By address (IPv6 by /64); [addresses] sets the first three. 0: no limit.
inline constexpr std::size_t connections_per_address = 1'000;             // at a time; then 429
inline constexpr std::size_t connections_per_address_and_second = 100;    // then 429
inline constexpr std::size_t token_requests_per_address_and_second = 20;  // GET /auth and requestToken; then 42910 (429)
inline constexpr std::size_t addresses_max = 65'536;                      // those beyond share one entry
inline constexpr std::size_t file_descriptors_reserved = 128;             // that clients do not get, or a quarter of a low limit
inline constexpr std::size_t health_connections_max = 32;                 // of the reserve: who asks how the server is; the oldest goes

// Token requests in two minutes, or four by clocks that differ: of a key, and of all keys, which share them (base::Budget); then 42910.
inline constexpr std::size_t nonces_per_key_max = 100'000;
inline constexpr std::size_t nonces_max = 1'000'000;

// The process's memory, in percent of [limits] memory_bytes. At a step and above:
inline constexpr std::size_t memory_bytes_min = 128u << 20;
inline constexpr std::size_t memory_default_percent = 50;             // of what the machine or the cgroup has
inline constexpr std::size_t memory_refuse_connections_percent = 80;
inline constexpr std::size_t memory_drop_readers_percent = 90;        // slow ones; history, rewind and resume are refused
inline constexpr std::size_t memory_refuse_publishes_percent = 100;
inline constexpr std::size_t memory_logs_percent = 40;                // what channels' logs have together,
inline constexpr std::size_t memory_answers_percent = 20;             // and what waits to be written to one client alone

// What a client reads.
inline constexpr std::size_t slow_reader_bytes = 64u << 10;           // that wait for a client which takes none: it reads slowly
inline constexpr auto unread_for_max = 120s;                          // what waits is taken within this, or the connection ends
inline constexpr std::size_t rewind_bytes_max = 1u << 20;             // of an attach; then the rewind is shorter, and says so
inline constexpr std::size_t replay_backlog_bytes_max = 8u << 20;     // answers that wait; then an attach with a replay is put off
inline constexpr std::size_t aliases_per_channel_max = 20;            // names of one channel on a connection, by params and filters

// What waits, and what is kept. In bytes, besides limits.hpp's numbers; at them publishes are refused.
inline constexpr std::size_t channel_log_overhead_bytes = 1'024;      // what a channel weighs besides its entries
inline constexpr std::size_t rule_queue_bytes_max = 12u << 20;        // per channel
inline constexpr std::size_t rule_queues_bytes_max = 128u << 20;       // of a shard's channels, which share it (base::Budget)
inline constexpr std::size_t archive_queue_bytes_max = 64u << 20;     // of a shard

}  // namespace base::limits
