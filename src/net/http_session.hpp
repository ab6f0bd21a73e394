#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "net/http_parser.hpp"
#include "net/http_stream.hpp"
#include "net/tcp_connection.hpp"

namespace net {

/// A client on its way to the shard that is to answer it.
struct MovingSession {
    MovingConnection connection;
    HttpRequest request;
    std::string rest;  // what came behind the request
};

/// Who answers requests. Called on the shard of the session; may answer later, on that shard, once.
class HttpHandler {
public:
    using Reply = std::move_only_function<void(HttpResponse)>;

    virtual ~HttpHandler() = default;
    virtual void on_request(HttpRequest request, Reply reply) = 0;
    /// Another shard, if that one is to answer this request and those behind it: move() takes the client there.
    virtual std::optional<std::size_t> elsewhere(const HttpRequest& request) = 0;
    virtual void move(std::size_t shard, MovingSession session) = 0;
    /// A request to upgrade. The connection is the callee's from here: it answers with a 101 and hands the connection over to
    /// a handler of its own, or sends what it likes and closes. `rest` came behind the request.
    virtual void on_websocket(HttpRequest request, std::shared_ptr<TcpConnection> connection, std::string rest) = 0;
    /// The answer to what is no proper HTTP request (`what` is wrong), or too much of one, or has not come to its end in time (incomplete).
    virtual HttpResponse on_refused(HttpParser::State why, std::string_view what) = 0;
};

/// One client's HTTP/1.1: requests one after the other, in order. Slow and silent clients are let go. Shard-owned.
class HttpSession final : public TcpConnection::Handler, public std::enable_shared_from_this<HttpSession> {
public:
    HttpSession(Shard& shard, std::shared_ptr<TcpConnection> connection, HttpHandler& handler);

    void start();
    /// Goes on with a session of another shard's.
    static void arrive(Shard& shard, MovingSession moving, HttpHandler& handler);

    void on_bytes(std::span<char> bytes) override;
    void on_closed() override;
    void on_written() override;
    void wind_down() override;

    /// What it keeps of requests that are not answered yet.
    std::size_t held_bytes() const { return parser_.held_bytes() + unparsed_.size(); }

private:
    friend class HttpStream;

    void take_requests();
    void take(HttpRequest request);
    void answer(HttpResponse response);
    void answered();
    void go_on();
    void begin(HttpResponse response);
    void write(std::string_view piece);
    void end(std::string_view last);
    void refuse(HttpParser::State why);
    void await_request(std::chrono::seconds patience);
    void await_deadline();
    void out_of_time();
    bool has_unparsed() const { return parsed_ < unparsed_.size(); }
    bool begun() const { return parser_.started() || has_unparsed(); }
    void drop_parsed();

    Shard& shard_;
    std::shared_ptr<TcpConnection> connection_;
    HttpHandler& handler_;
    HttpParser parser_;
    std::string unparsed_;       // requests behind the one that is being answered
    std::size_t parsed_ = 0;     // bytes of it, from its front: dropped all at once, not request by request
    bool answering_ = false;  // one request at a time
    bool keep_alive_ = true, head_ = false, chunks_ = true;
    std::shared_ptr<HttpStream> stream_;  // that is the answer
    std::optional<HttpResponse> unsent_;  // its head, until there is something to send
    asio::steady_timer timer_;
    asio::steady_timer::time_point deadline_;
    bool timing_ = false;
};

}  // namespace net
