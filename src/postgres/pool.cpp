#include "postgres/pool.hpp"

#include <algorithm>
#include <deque>

#include <boost/asio/post.hpp>

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "postgres/session.hpp"

namespace postgres {

using namespace std::chrono_literals;

/// Outlives the Pool for as long as one of its coroutines still has a step to wind up.
class Pool::Core : public std::enable_shared_from_this<Core> {
public:
    Core(asio::io_context& io, std::string conninfo, Options options)
        : io_(io), conninfo_(std::move(conninfo)), options_(options) {}

    void query(const Statement& statement, Params params, QueryDone done) {
        if (down_) return refuse(std::move(done), "the database cannot be reached");
        if (jobs_.size() >= options_.queued_max) return refuse(std::move(done), "too many queries are waiting");
        jobs_.push_back({statement, std::move(params), std::move(done)});
        if (!idle_.empty()) {
            idle_.back()->wake();
            idle_.pop_back();
        } else if (sessions_.size() < options_.connections) {
            auto session = Session::make(io_);
            sessions_.push_back(session);
            spawn(io_, run(shared_from_this(), std::move(session)));
        }
    }

    void stop() {
        stopped_ = true;
        jobs_.clear();
        for (const auto& session : sessions_) session->close();
    }

private:
    struct Job {
        Statement statement;
        Params params;
        QueryDone done;
    };

    void refuse(QueryDone done, const char* why) {
        asio::post(io_, [self = shared_from_this(), done = std::move(done), why]() mutable {
            if (!self->stopped_) done(std::unexpected(unavailable(why)));
        });
    }

    /// One session's life: connect, serve, and connect again when it is lost.
    static asio::awaitable<void> run(std::shared_ptr<Core> self, std::shared_ptr<Session> session) {
        unsigned attempt = 0;
        while (!self->stopped_) {
            if (!session->is_open()) {
                ConnectOptions options{.conninfo = self->conninfo_};
                auto connected = co_await session->connect(std::move(options));
                if (self->stopped_) break;
                if (!connected) {
                    self->went_down(connected.error());
                    const auto again = Session::Clock::now() + base::backoff(attempt++, 100ms, 2s);
                    co_await session->sleep(again);
                    continue;
                }
                attempt = 0;
                self->came_back();
            }
            if (self->jobs_.empty()) {
                co_await self->wait_for_work(session);
                continue;
            }
            auto job = std::move(self->jobs_.front());
            self->jobs_.pop_front();
            auto answer = co_await session->query(job.statement, std::move(job.params), self->options_.query_timeout);
            if (!self->stopped_) job.done(std::move(answer));
        }
        session->close();
    }

    /// Until there is a job, or the server hung up.
    asio::awaitable<void> wait_for_work(std::shared_ptr<Session> session) {
        idle_.push_back(session);
        co_await session->ready(asio::posix::stream_descriptor::wait_read, Session::Clock::time_point::max());
        std::erase(idle_, session);
        if (session->is_open()) std::ignore = session->consume();  // closes it when it is lost
    }

    /// One more connection may be refused, by a limit of the server's, while others serve: no reason to send anybody away.
    void went_down(const Error& error) {
        if (std::ranges::any_of(sessions_, &Session::is_open)) return;
        for (auto& job : std::exchange(jobs_, {})) refuse(std::move(job.done), "the database cannot be reached");
        if (!std::exchange(down_, true)) base::log::warn("at=database_lost reason=\"{}\"", error.message);
    }

    void came_back() {
        if (std::exchange(down_, false)) base::log::info("at=database_back");
    }

    asio::io_context& io_;
    std::string conninfo_;
    Options options_;
    std::deque<Job> jobs_;
    std::vector<std::shared_ptr<Session>> sessions_;
    std::vector<std::shared_ptr<Session>> idle_;  // those of them that wait for work
    bool down_ = false;
    bool stopped_ = false;
};

Pool::Pool(boost::asio::io_context& io, std::string conninfo, Options options)
    : core_(std::make_shared<Core>(io, std::move(conninfo), options)) {}
Pool::~Pool() { core_->stop(); }
void Pool::query(const Statement& statement, Params params, QueryDone done) {
    core_->query(statement, std::move(params), std::move(done));
}

}  // namespace postgres
