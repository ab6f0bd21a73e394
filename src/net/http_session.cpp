#include "net/http_session.hpp"

#include "base/limits.hpp"
#include "base/resource_limits.hpp"

namespace net {

namespace limits = base::limits;

namespace {
constexpr std::chrono::seconds keep_alive_timeout{60};
}

HttpSession::HttpSession(Shard& shard, std::shared_ptr<TcpConnection> connection, HttpHandler& handler)
    : shard_(shard), connection_(std::move(connection)), handler_(handler),
      parser_(limits::http_header_bytes_max, limits::http_body_bytes_max), timer_(shard.io()) {}

void HttpSession::start() {
    connection_->start(shared_from_this());
    await_request(limits::handshake_timeout);
}

/// The time a client has for its first request, for the rest of one it has begun, or between two. A timer that runs already and ends
/// before that is left alone: a request is not worth the setting of one.
void HttpSession::await_request(std::chrono::seconds patience) {
    deadline_ = std::chrono::steady_clock::now() + patience;
    if (!std::exchange(timing_, true) || deadline_ < timer_.expiry()) await_deadline();
}

void HttpSession::await_deadline() {
    timer_.expires_at(deadline_);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) self->out_of_time();
    });
}

void HttpSession::out_of_time() {
    timing_ = false;
    if (!connection_ || answering_) return;
    if (deadline_ > std::chrono::steady_clock::now()) {
        timing_ = true;
        return await_deadline();
    }
    if (begun()) refuse(HttpParser::State::incomplete);
    else connection_->close();
}

void HttpSession::refuse(HttpParser::State why) {
    keep_alive_ = head_ = false;
    answering_ = true;
    parsed_ = unparsed_.size();
    drop_parsed();
    answer(handler_.on_refused(why, parser_.why_malformed()));
}

void HttpSession::on_bytes(std::span<char> bytes) {
    const bool had_begun = begun();
    unparsed_.append(bytes.begin(), bytes.end());
    if (answering_) {  // pipelined: read on once it is its turn
        if (unparsed_.size() > limits::http_pipelined_bytes_max) connection_->set_reading(false);
        return;
    }
    take_requests();
    if (connection_ && !answering_ && !had_begun && begun()) await_request(limits::handshake_timeout);
}

/// Keeps what is not parsed yet, and no memory of what was.
void HttpSession::drop_parsed() {
    std::string rest = unparsed_.substr(parsed_);
    unparsed_.swap(rest);
    parsed_ = 0;
}

void HttpSession::take_requests() {
    while (!answering_ && connection_ && !connection_->closing()) {
        auto rest = std::string_view{unparsed_}.substr(parsed_);
        const auto state = parser_.feed(rest);
        parsed_ = unparsed_.size() - rest.size();
        if (state == HttpParser::State::incomplete) {
            if (parser_.expects_continue()) connection_->send(std::string{"HTTP/1.1 100 Continue\r\n\r\n"});
            break;
        }
        if (state != HttpParser::State::complete) return refuse(state);
        auto request = parser_.take();
        if (const auto shard = handler_.elsewhere(request)) {
            drop_parsed();
            const auto connection = std::exchange(connection_, nullptr);
            return handler_.move(*shard, {connection->leave(), std::move(request), std::move(unparsed_)});
        }
        take(std::move(request));
    }
    drop_parsed();
}

void HttpSession::arrive(Shard& shard, MovingSession moving, HttpHandler& handler) {
    auto connection = TcpConnection::arrive(shard, std::move(moving.connection), limits::answers_bytes_max);
    const auto session = std::make_shared<HttpSession>(shard, std::move(connection), handler);
    session->unparsed_ = std::move(moving.rest);
    session->connection_->start(session);
    session->take(std::move(moving.request));
}

void HttpSession::take(HttpRequest request) {
    answering_ = true;
    request.peer = connection_->peer();
    if (request.asks_for_websocket()) {
        drop_parsed();
        handler_.on_websocket(std::move(request), connection_, std::move(unparsed_));
        // One that is refused is ours until the answer is written: nobody else keeps the connection for so long.
        if (connection_ && !connection_->closing()) connection_ = nullptr;
        return;
    }
    keep_alive_ = request.keep_alive && !shard_.winding_down();
    head_ = request.method == "HEAD";
    chunks_ = request.chunks;
    handler_.on_request(std::move(request), [weak = weak_from_this()](HttpResponse response) {
        const auto self = weak.lock();
        if (self && self->connection_) self->answer(std::move(response));
        else if (response.stream && response.stream->on_gone) response.stream->on_gone();
    });
}

void HttpSession::answer(HttpResponse response) {
    if (response.stream) return begin(std::move(response));
    connection_->send(serialize(response, keep_alive_, head_));
    if (response.shared_body && !head_) connection_->send(std::move(response.shared_body));
    answered();
}

/// The next request has its turn when the peer has taken this answer, or nearly: pipelined requests must not pile up answers.
void HttpSession::answered() {
    if (!keep_alive_) return connection_->close();
    if (connection_->queued_bytes() > limits::slow_reader_bytes) return connection_->tell_when_written();
    go_on();
}

void HttpSession::on_written() {
    if (!connection_) return;
    if (keep_alive_) go_on();
    else connection_->close();  // the server has begun to end meanwhile
}

void HttpSession::go_on() {
    answering_ = false;
    connection_->set_reading(true);
    await_request(begun() ? limits::handshake_timeout : keep_alive_timeout);
    // From the loop's top, so that answers given at once do not nest.
    if (has_unparsed()) shard_.post([self = shared_from_this()] { self->take_requests(); });
}

void HttpSession::begin(HttpResponse response) {
    stream_ = std::exchange(response.stream, nullptr);
    unsent_ = std::move(response);
    if (!head_) {
        stream_->session_ = weak_from_this();
        return;
    }
    shard_.post([stream = std::move(stream_)] {  // nobody waits for more than its head
        if (stream->on_gone) stream->on_gone();
    });
    end({});
}

void HttpSession::write(std::string_view piece) {
    if (piece.empty()) return;
    keep_alive_ = keep_alive_ && chunks_;
    if (unsent_) connection_->send(serialize_head(*unsent_, keep_alive_, chunks_ ? Framing::chunked : Framing::close));
    unsent_.reset();
    connection_->send(chunks_ ? http_chunk(piece) : std::string{piece});
}

void HttpSession::end(std::string_view last) {
    stream_ = nullptr;
    if (auto whole = std::exchange(unsent_, std::nullopt)) {
        whole->body = last;
        return answer(*std::move(whole));
    }
    write(last);
    if (chunks_) connection_->send(http_chunk({}));
    answered();
}

void HttpSession::on_closed() {
    timer_.cancel();
    connection_ = nullptr;
    if (const auto stream = std::exchange(stream_, nullptr); stream && stream->on_gone) stream->on_gone();
}

void HttpSession::wind_down() {
    keep_alive_ = false;
    if (!answering_) connection_->close();
}

void HttpStream::write(std::string_view piece) {
    if (const auto session = session_.lock(); session && session->connection_) session->write(piece);
}

void HttpStream::end(std::string_view last) {
    const auto session = std::exchange(session_, {}).lock();
    if (session && session->connection_) session->end(last);
}

}  // namespace net
