#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_set>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "postgres/rows.hpp"

struct pg_conn;  // libpq's PGconn

namespace postgres {

namespace asio = boost::asio;

struct ConnectOptions {
    std::string conninfo;  // libpq's keyword=value or URI form; may hold a password: never logged
    bool replication = false;
    std::chrono::milliseconds timeout{5'000};
};

/// One connection to Postgres that is waited for through Asio. Shard-owned, kept by shared_ptr: the coroutine that uses it holds
/// one, so closing it, by its owner or by an error, only makes that coroutine's next step fail. One statement at a time.
/// Never blocks, but for the name lookup libpq does itself while connecting (a resolver that hangs stalls the shard).
class Session : public std::enable_shared_from_this<Session> {
public:
    using Clock = std::chrono::steady_clock;

    static std::shared_ptr<Session> make(asio::io_context& io) { return std::shared_ptr<Session>{new Session{io}}; }
    ~Session() { close(); }

    /// Connects in UTF-8 and with session_settings (conninfo.hpp): rows read the same whatever the server is set to.
    asio::awaitable<Result<void>> connect(ConnectOptions options);
    bool is_open() const { return connection_ != nullptr; }
    int server_version() const;              // as 150018; 0: it is closed
    std::string_view server_encoding() const;  // of the database, as "UTF8"; empty: it is closed
    void close();

    /// Extended protocol. A session that did not answer within `timeout`, or lost its connection, is closed: unavailable.
    asio::awaitable<Answer> query(Statement statement, Params params, std::chrono::milliseconds timeout);
    /// Simple protocol: several statements at once, or a replication command. Gives the last one's rows.
    asio::awaitable<Answer> execute(std::string sql, std::chrono::milliseconds timeout);

    /// For who drives libpq itself. `ready` waits until the socket is, until wake() or until `deadline`; it is false when the
    /// deadline has passed or the session is closed, and true may be said for nothing. `sleep` waits without the socket; `doze` has it
    /// unwatched meanwhile, so that nothing that arrives costs its sender a wake-up.
    pg_conn* raw() const { return connection_.get(); }
    asio::awaitable<bool> ready(asio::posix::stream_descriptor::wait_type what, Clock::time_point deadline);
    asio::awaitable<bool> sleep(Clock::time_point deadline);
    asio::awaitable<bool> doze(Clock::time_point deadline);
    void wake();
    /// Reads what has arrived; closes the session and gives its last words when the connection is gone.
    Result<void> consume();

private:
    explicit Session(asio::io_context& io) : socket_(io), timer_(io) {}

    asio::awaitable<Result<void>> establish(ConnectOptions options);
    asio::awaitable<Answer> results(Clock::time_point deadline);
    void watch();
    SqlError lost(std::string_view why);

    struct Finish {
        void operator()(pg_conn* connection) const;
    };
    std::unique_ptr<pg_conn, Finish> connection_;
    asio::posix::stream_descriptor socket_;  // borrows the connection's: released before libpq may close it
    asio::steady_timer timer_;
    Clock::time_point alarm_{};  // what timer_ is set to for ready()
    std::unordered_set<std::string> prepared_;
};

/// Starts a coroutine of the shard; an exception in it ends the process, as it would anywhere else on the shard.
void spawn(asio::io_context& io, asio::awaitable<void> task);

}  // namespace postgres
