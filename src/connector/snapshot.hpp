#pragma once

#include "broker/broker.hpp"
#include "connector/snapshot_plan.hpp"
#include "postgres/rows.hpp"

/// Reads the rows that were there before the slot, and keeps in palimpsest.snapshot how far they are published.
namespace connector {

/// Rows as they are published; on record from before the first of them goes out until the next chunk is.
struct SnapshotChunk {
    std::vector<broker::Draft> drafts;
    RowPlace end;  // published up to here once these are
};
struct SnapshotState {
    Lsn start;               // the rows' places in the WAL are {start, 1…}
    std::uint64_t rows = 0;  // of those that are used, the chunk's too
    RowPlace at;             // published up to here
    bool done = false;
    std::vector<SnapshotPart> parts;  // in order
    std::optional<SnapshotChunk> chunk;
};
/// Nothing when there is none to be published.
asio::awaitable<Result<std::optional<SnapshotState>>> load_snapshot(SessionPtr session, std::string slot);
/// Of a slot that was made just now, and decodes from `consistent`. Whatever was kept of another of its name goes.
asio::awaitable<Result<SnapshotState>> begin_snapshot(SessionPtr session, std::string slot, Lsn consistent);
asio::awaitable<Result<void>> drop_snapshot(SessionPtr session, std::string slot);
/// Going on in another database snapshot from where `state` is: gives the parts then.
asio::awaitable<Result<std::vector<SnapshotPart>>> resume_snapshot(SessionPtr session, std::string slot, RowPlace at,
                                                                   std::vector<SnapshotPart> parts, Lsn consistent);
/// Stores everything but the parts; before that the tails, of what was published.
asio::awaitable<Result<void>> store_snapshot(SessionPtr session, std::string slot, SnapshotState state, Tails tails);

/// The rows of one table after the other, on a session of its own. Shard-owned.
class SnapshotReader {
public:
    explicit SnapshotReader(SessionPtr session) : session_(std::move(session)) {}

    /// `snapshot` as it was exported.
    asio::awaitable<Result<void>> open(std::string conninfo, std::string snapshot);
    /// `sql` from snapshot_sql().
    asio::awaitable<Result<void>> begin_table(std::string sql);
    /// Some more rows, none at the end. As many as make a chunk of limits::snapshot_chunk_bytes, about, if rows are like those before.
    asio::awaitable<Result<postgres::Rows>> next(std::size_t columns);

private:
    SessionPtr session_;
    std::size_t chunk_rows_ = 0;
};

}  // namespace connector
