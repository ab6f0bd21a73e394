#pragma once

#include <deque>
#include <functional>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "archive/archive_rows.hpp"
#include "broker/archive.hpp"
#include "postgres/pool.hpp"

namespace archive {

/// Persisted channels in Postgres. One statement is under way at a time, with all that came while the one before it was: what is kept
/// is kept in order, and under load many messages share a commit. While the database is away, writes wait and reads fail. Shard-owned.
class PostgresArchive final : public broker::Archive {
public:
    PostgresArchive(boost::asio::io_context& io, postgres::Pool& pool) : pool_(pool), timer_(io) {}

    Result<void> admit() const override;
    void keep(const std::string& address, const broker::Published& published, Kept done) override;
    void history(const std::string& address, broker::HistoryQuery query, broker::HistoryDone done) override;
    void look_up(const std::string& address, std::string serial, broker::RecordDone done) override;
    void find(const std::string& address, broker::Said said, FindDone done) override;

private:
    using Read = std::move_only_function<void()>;

    void read(Read read);
    void go_on();
    void write();
    void written(const postgres::Answer& answer);

    postgres::Pool& pool_;
    boost::asio::steady_timer timer_;
    Rows gathered_, writing_;
    std::vector<Kept> gathered_done_, writing_done_;
    std::size_t gathered_bytes_ = 0, writing_bytes_ = 0;
    std::deque<Read> reads_;  // that came while something was to be written: behind it
    unsigned failures_ = 0;   // in a row
    bool busy_ = false;
};

}  // namespace archive
