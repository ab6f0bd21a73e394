#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound of the product by name. What happens at a bound is said where it is enforced.
namespace base::limits {

using namespace std::chrono_literals;

// Protocol: what CONNECTED tells a client in connectionDetails (CD2).
inline constexpr std::size_t message_bytes_max = 65'536;          // CD2c; above it 40009
inline constexpr std::size_t frame_bytes_max = 524'288;           // CD2d; above it the WebSocket is closed with 1009, and we send none
inline constexpr std::size_t envelope_bytes_max = 16'384;         // what a frame has besides its messages: a channel's name, escaped
inline constexpr auto connection_state_ttl = 120s;                // CD2f: how long a connection can be resumed
inline constexpr auto max_idle_interval = 15s;                    // CD2h: the server is never silent for longer
inline constexpr auto silence_max = 2 * max_idle_interval;        // a client that answers no ping for so long is gone
inline constexpr auto presence_grace = 15s;                       // members of a dropped connection leave after this
inline constexpr std::size_t revocations_max = 100'000;           // in an hour; then more are refused
inline constexpr std::size_t revocation_targets_max = 100;        // in a request
inline constexpr std::size_t revocation_target_bytes_max = 2'100;
inline constexpr std::size_t apps_max = 10'000;
inline constexpr std::size_t connections_per_app_max = 1'000'000;
inline constexpr std::size_t channels_per_connection_max = 200;
inline constexpr std::size_t channel_name_bytes_max = 2'048;
inline constexpr int filter_nesting_max = 32;                     // parentheses, calls and negations in a filter's expression
inline constexpr std::size_t client_id_bytes_max = 256;
inline constexpr std::size_t message_id_bytes_max = 256;          // also of a presence message; a longer one counts as content too
inline constexpr std::size_t known_encoding_bytes_max = 64;       // of an encoding that SDKs know, to count for nothing (TM6)
inline constexpr std::size_t messages_per_publish_max = 1'000;
inline constexpr std::size_t presence_members_per_channel_max = 1'000;
/// What its members take in memory beyond 448 bytes each; then newcomers and updates are refused. A SYNC of them all must fit
/// answers_bytes_max.
inline constexpr std::size_t presence_bytes_per_channel_max = 4u << 20;
inline constexpr std::size_t presence_members_per_connection_max = 1'000;
inline constexpr std::size_t presence_sync_page = 100;            // members in one SYNC, and as many bytes as a frame holds

// Channels.
inline constexpr auto retention = 120s;                           // what a re-attach or rewind can reach back
inline constexpr std::size_t channel_log_bytes_max = 16u << 20;   // in memory; the oldest entries go first
inline constexpr std::size_t attaches_waiting_max = 100'000;      // per shard, for the history of a database; then they are refused
inline constexpr std::size_t rewind_messages_max = 100;
inline constexpr std::size_t batch_channels_max = 100;  // of one REST request
inline constexpr std::size_t annotations_per_message_max = 2'000; // contributions of clients; others are refused
inline constexpr std::size_t annotation_type_bytes_max = 256;     // longer ones are refused
inline constexpr std::size_t annotation_name_bytes_max = 256;     // longer ones are refused
inline constexpr std::size_t annotation_clients_told_max = 500;   // in a summary, of one name
inline constexpr std::size_t annotation_summary_bytes_max = 65'536;  // of JSON; clients are told up to a half of it, then it is clipped
inline constexpr std::int64_t annotation_count_max = 1'000'000;
inline constexpr std::size_t versions_bytes_max = 16u << 20;      // of a message, in memory; the oldest are left out
inline constexpr std::size_t page_default = 100;
inline constexpr std::size_t page_max = 1'000;
inline constexpr std::size_t page_bytes_max = 4u << 20;           // of a page's items; then it ends early, with a link to the next

// Connections.
inline constexpr std::size_t outbound_bytes_max = 5u << 19;       // a slower reader is disconnected; a channel's log still has all of it
inline constexpr std::size_t answers_bytes_max = 32u << 20;       // of what it asked for besides: replays; of HTTP, all
inline constexpr std::size_t deliveries_per_run_max = 32;         // entries of a channel that wait for a turn's end; then they are sent
inline constexpr std::size_t publishes_in_flight_max = 1'000;     // per connection; then reading from it pauses
inline constexpr std::size_t results_per_ack_max = 1'000;         // then there is another: no list in a frame is longer
inline constexpr std::size_t serials_per_ack_max = 5'000;         // of all its results; then there is another, lest it outgrow a frame
inline constexpr std::size_t compressed_bytes_min = 256;          // smaller frames are not worth it
inline constexpr auto handshake_timeout = 10s;
inline constexpr auto drain = 5s;                                 // of a server that is to stop; then what is not written is not
inline constexpr std::size_t comet_stream_bytes_max = 1u << 20;   // then the client asks anew: browsers keep all of an answer
inline constexpr auto comet_farewell = 15s;                       // for a client to ask for the last it is told
inline constexpr std::size_t http_header_bytes_max = 16'384;      // 431; extensions and trailers of a chunked body have as much again
inline constexpr std::size_t http_body_bytes_max = 2u << 20;      // 413; as sent, and inflated
inline constexpr std::size_t http_pipelined_bytes_max = 16'384;   // behind the request that is being answered; then reading pauses
inline constexpr std::size_t http_compressed_bytes_min = 1'024;   // smaller answers are sent as they are
inline constexpr std::size_t http_compressed_bytes_max = 1u << 20;  // larger ones too: a shard must not be kept busy for longer

// Statistics: intervals kept of an app on each shard.
inline constexpr std::size_t stats_minutes_max = 24 * 60;
inline constexpr std::size_t stats_hours_max = 31 * 24;
inline constexpr std::size_t stats_days_max = 366;
inline constexpr std::size_t stats_months_max = 24;

// Rules and functions.
inline constexpr std::size_t rule_queue_events_max = 10'000;      // per channel; then publishes are refused
inline constexpr auto rule_retry_for = 30s;                       // from the event's arrival; then it has failed
inline constexpr std::size_t archive_queue_max = 10'000;         // entries that wait to be written; then publishes are refused
inline constexpr std::size_t database_connections_per_shard = 4;
inline constexpr std::size_t database_queries_queued_max = 10'000;

// Connector.
inline constexpr std::size_t changes_in_flight_max = 4'096;       // published and not yet acknowledged; then reading pauses
inline constexpr std::size_t change_bytes_in_flight_max = 16u << 20;
inline constexpr std::size_t gathered_bytes_max = 4u << 20;        // of transactions in progress, in memory; the rest is in files
inline constexpr std::size_t change_bytes_max = frame_bytes_max / 2;  // of JSON; a larger row is told as an error with its key
inline constexpr std::size_t http_answer_bytes_max = 4u << 20;    // of an endpoint; then the call has failed
inline constexpr auto retry_after_max = 300s;                     // that an endpoint may ask us to stay away
inline constexpr std::size_t unconfirmed_wal_bytes_max = 256u << 20;  // the slot is confirmed earlier than the window then
inline constexpr std::size_t snapshot_chunk_rows_max = 1'000;       // read, published and acknowledged before the next are read
inline constexpr std::size_t snapshot_chunk_bytes = 1u << 20;     // about: by the size of the rows before
inline constexpr std::uint64_t unstored_wal_bytes_max = 64u << 10;  // that a slot without changes is confirmed late, not to write for ever
inline constexpr std::size_t channel_tails_max = 100'000;         // quiet channels whose last change is known

}  // namespace base::limits
