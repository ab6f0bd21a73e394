#include "postgres/session.hpp"

#include <libpq-fe.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "postgres/conninfo.hpp"

namespace postgres {
namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

pg_conn* begin_connect(const ConnectOptions& options) {
    const SessionParameters parameters{options.conninfo, options.replication};
    return PQconnectStartParams(parameters.keywords.data(), parameters.values.data(), /*expand_dbname=*/1);
}

}  // namespace

void spawn(asio::io_context& io, asio::awaitable<void> task) {
    asio::co_spawn(io, std::move(task), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
}

void Session::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

void Session::watch() { socket_.assign(PQsocket(connection_.get())); }

std::string_view Session::server_encoding() const {
    const char* const name = connection_ ? PQparameterStatus(connection_.get(), "server_encoding") : nullptr;
    return name ? name : "";
}

int Session::server_version() const { return connection_ ? PQserverVersion(connection_.get()) : 0; }

void Session::close() {
    if (socket_.is_open()) socket_.release();  // ends the waits
    alarm_ = {};
    timer_.cancel();
    connection_.reset();
    prepared_.clear();
}

SqlError Session::lost(std::string_view why) {
    auto error = unavailable(why.empty() ? one_line(PQerrorMessage(connection_.get())) : std::string{why});
    close();
    return error;
}

void Session::wake() {
    if (socket_.is_open()) socket_.cancel();
    alarm_ = {};
    timer_.cancel();
}

asio::awaitable<bool> Session::ready(asio::posix::stream_descriptor::wait_type what, Clock::time_point deadline) {
    if (!socket_.is_open()) co_return false;
    if (alarm_ != deadline) {  // left set when the socket is first: whoever waits often, waits for the same deadline
        alarm_ = deadline;
        timer_.expires_at(deadline);
        timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
            const auto self = weak.lock();
            if (error || !self) return;
            self->alarm_ = {};
            if (self->socket_.is_open()) self->socket_.cancel();
        });
    }
    co_await socket_.async_wait(what, as_tuple);
    co_return is_open() && Clock::now() < deadline;
}

asio::awaitable<bool> Session::sleep(Clock::time_point deadline) {
    alarm_ = {};
    timer_.expires_at(deadline);
    co_await timer_.async_wait(as_tuple);
    co_return is_open() && Clock::now() < deadline;
}

asio::awaitable<bool> Session::doze(Clock::time_point deadline) {
    socket_.release();
    const bool woken = co_await sleep(deadline);
    if (is_open()) watch();
    co_return woken;
}

Result<void> Session::consume() {
    if (!is_open()) return std::unexpected(unavailable("the session is closed"));
    if (PQconsumeInput(connection_.get())) return {};
    return std::unexpected(lost(""));
}

asio::awaitable<Result<void>> Session::connect(ConnectOptions options) {
    const auto timeout = options.timeout;
    auto established = co_await establish(std::move(options));
    if (!established) co_return established;
    auto set = co_await execute(session_settings, timeout);
    if (set) co_return Result<void>{};
    close();
    co_return std::unexpected(set.error());
}

asio::awaitable<Result<void>> Session::establish(ConnectOptions options) {
    close();
    const auto deadline = Clock::now() + options.timeout;
    connection_.reset(begin_connect(options));
    if (!connection_) throw std::bad_alloc{};
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char* text) { base::log::debug("at=database_notice text=\"{}\"", one_line(text)); },
        nullptr);

    auto step = PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING) {
        watch();
        const auto what = step == PGRES_POLLING_READING ? socket_.wait_read : socket_.wait_write;
        const bool in_time = co_await ready(what, deadline);
        if (!is_open()) co_return fail(ErrorCode::unavailable, "the session is closed");
        if (!in_time) co_return std::unexpected(lost("connecting took too long"));
        socket_.release();  // a poll may close this socket and open the next: another address, or without encryption
        step = PQconnectPoll(connection_.get());
    }
    if (step != PGRES_POLLING_OK) co_return std::unexpected(lost(""));
    PQsetnonblocking(connection_.get(), 1);
    watch();
    co_return Result<void>{};
}

asio::awaitable<Answer> Session::query(Statement statement, Params params, std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    const std::string name{statement.name}, sql{statement.sql};
    std::vector<const char*> values;
    for (const auto& each : params) {
        // A text parameter ends at its first NUL: cut short in silence, if it were sent.
        if (each && each->find('\0') != each->npos)
            co_return std::unexpected(SqlError{{ErrorCode::invalid_parameter_value, "NUL in a text"}, "22021"});
        values.push_back(each ? each->c_str() : nullptr);
    }
    const auto count = static_cast<int>(values.size());
    if (!is_open()) co_return std::unexpected(unavailable("not connected"));
    if (!name.empty() && !prepared_.contains(name)) {
        if (!PQsendPrepare(raw(), name.c_str(), sql.c_str(), count, nullptr)) co_return std::unexpected(lost(""));
        auto prepared = co_await results(deadline);
        if (!prepared) co_return prepared;
        prepared_.insert(name);
    }
    const int sent = name.empty() ? PQsendQueryParams(raw(), sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0)
                                  : PQsendQueryPrepared(raw(), name.c_str(), count, values.data(), nullptr, nullptr, 0);
    if (!sent) co_return std::unexpected(lost(""));
    auto answer = co_await results(deadline);
    if (!answer && answer.error().sqlstate == "0A000" && !name.empty()) {
        // "cached plan must not change result type": a column's type was altered since. A new session plans anew.
        close();
        co_return std::unexpected(unavailable(std::move(answer.error().message)));
    }
    co_return answer;
}

asio::awaitable<Answer> Session::execute(std::string sql, std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    if (!is_open()) co_return std::unexpected(unavailable("not connected"));
    if (!PQsendQuery(raw(), sql.c_str())) co_return std::unexpected(lost(""));
    co_return co_await results(deadline);
}

asio::awaitable<Answer> Session::results(Clock::time_point deadline) {
    for (;;) {
        const int left = PQflush(raw());
        if (left < 0) co_return std::unexpected(lost(""));
        if (left == 0) break;
        const bool in_time = co_await ready(socket_.wait_write, deadline);
        if (!is_open()) co_return std::unexpected(unavailable("the session is closed"));
        if (!in_time) co_return std::unexpected(lost("the database did not answer in time"));
    }
    Answer answer;
    for (;;) {
        while (PQisBusy(raw())) {
            const bool in_time = co_await ready(socket_.wait_read, deadline);
            if (!is_open()) co_return std::unexpected(unavailable("the session is closed"));
            if (!in_time) co_return std::unexpected(lost("the database did not answer in time"));
            if (!PQconsumeInput(raw())) co_return std::unexpected(lost(""));
        }
        PGresult* const result = PQgetResult(raw());
        if (!result) break;
        Rows rows{result};
        const auto status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) answer = std::unexpected(error_of(result));
        else if (answer) answer = std::move(rows);
        if (status == PGRES_COPY_BOTH) break;  // from here on the stream's owner reads
    }
    const bool ended = !answer && answer.error().sqlstate.starts_with("57P");  // the server is about to hang up
    if (answer && PQstatus(raw()) == CONNECTION_BAD) answer = std::unexpected(lost(""));
    if (ended || PQstatus(raw()) == CONNECTION_BAD) close();
    co_return answer;
}

}  // namespace postgres
