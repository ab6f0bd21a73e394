#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "base/limits.hpp"
#include "postgres/rows.hpp"

namespace postgres {

using QueryDone = std::move_only_function<void(Answer)>;

/// A few connections of one shard to one database, made when first needed and then kept. Shard-owned.
///
/// While the database cannot be reached every query fails at once (unavailable), and the pool tries to be back; so a caller's
/// patience is its own. A query whose connection is lost under it fails the same way, and may or may not have been carried out.
class Pool {
public:
    struct Options {
        std::size_t connections = base::limits::database_connections_per_shard;
        std::size_t queued_max = base::limits::database_queries_queued_max;  // beyond: unavailable
        std::chrono::milliseconds query_timeout{20'000};
    };
    Pool(boost::asio::io_context& io, std::string conninfo) : Pool(io, std::move(conninfo), Options{}) {}
    Pool(boost::asio::io_context& io, std::string conninfo, Options options);
    /// What is still pending is dropped: its `done` is never called.
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// `done` is called once, later, on the shard. Queries run in parallel: who needs an order waits for one before the next.
    void query(const Statement& statement, Params params, QueryDone done);

private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace postgres
