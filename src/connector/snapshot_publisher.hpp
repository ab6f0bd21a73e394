#pragma once

#include <boost/asio/steady_timer.hpp>

#include "connector/connector.hpp"
#include "connector/snapshot.hpp"
#include "connector/sources.hpp"

namespace connector {

/// Publishes the rows that were there before the slot, chunk by chunk. Each is written down before its first row goes out: after a
/// crash the same messages go out under the same ids, whatever became of the rows meanwhile. Shard-owned; the connector that made
/// it outlives it.
class SnapshotPublisher : public std::enable_shared_from_this<SnapshotPublisher> {
public:
    /// What it shares with the connector.
    struct Shared {
        const Config& config;
        const Events& events;
        Sources& sources;  // begun, without parts
        Status& status;
        SnapshotState& state;
    };
    SnapshotPublisher(asio::io_context& io, Shared shared, SessionPtr session)
        : io_(io), answer_timer_(io), shared_(shared), session_(std::move(session)) {}

    /// Until all are published and acknowledged, or it is stopped, which is unavailable. `exported` is the slot's own snapshot; when
    /// that is gone it takes one of now: which changes in the stream it has already follows from the part that is stored for it.
    asio::awaitable<Result<void>> run(Tables tables, std::string exported);
    void stop();

private:
    asio::awaitable<Result<void>> publish_table(std::string id, TableName name, Table table);
    std::size_t gather(const postgres::Rows& rows, std::size_t first, const std::string& id, const Table& table,
                       const std::vector<std::size_t>& key);
    asio::awaitable<Result<void>> publish_chunk();
    asio::awaitable<bool> hand_over();
    void on_published(std::uint64_t attempt, broker::WalPlace place, const Result<void>& result);
    asio::awaitable<Result<void>> store();

    asio::io_context& io_;
    asio::steady_timer answer_timer_;
    Shared shared_;
    SessionPtr session_, reading_;
    std::optional<SnapshotReader> reader_;
    Tails tails_;  // of what was published, and is not stored
    std::uint64_t attempt_ = 0;  // an answer to an earlier one says nothing
    std::size_t in_flight_ = 0;
    bool failed_ = false, stopped_ = false;
};

}  // namespace connector
