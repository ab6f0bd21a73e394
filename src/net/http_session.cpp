#include "net/http_session.hpp"

#include "base/limits.hpp"

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

/// The time a client has for its first request, for the rest of one it has begun, or between two.
void HttpSession::await_request(std::chrono::seconds patience) {
    timer_.expires_after(patience);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) self->out_of_time();
    });
}

void HttpSession::out_of_time() {
    if (!connection_ || answering_) return;
    if (begun()) refuse(HttpParser::State::incomplete);
    else connection_->close();
}

void HttpSession::refuse(HttpParser::State why) {
    keep_alive_ = head_ = false;
    answering_ = true;
    answer(handler_.on_refused(why));
}

void HttpSession::on_bytes(std::span<char> bytes) {
    const bool had_begun = begun();
    unparsed_.append(bytes.begin(), bytes.end());
    if (answering_) {  // pipelined: read on once it is its turn
        if (unparsed_.size() > limits::http_header_bytes_max) connection_->set_reading(false);
        return;
    }
    take_requests();
    if (connection_ && !answering_ && !had_begun && begun()) await_request(limits::handshake_timeout);
}

void HttpSession::take_requests() {
    while (!answering_ && connection_ && !connection_->closing()) {
        std::string_view rest{unparsed_};
        const auto state = parser_.feed(rest);
        unparsed_.erase(0, unparsed_.size() - rest.size());
        if (state == HttpParser::State::incomplete) {
            if (parser_.expects_continue()) connection_->send(std::string{"HTTP/1.1 100 Continue\r\n\r\n"});
            return;
        }
        timer_.cancel();
        if (state != HttpParser::State::complete) return refuse(state);
        auto request = parser_.take();
        request.peer_address = connection_->peer_address();
        if (request.asks_for_websocket()) {
            answering_ = true;
            const auto connection = std::exchange(connection_, nullptr);
            return handler_.on_websocket(std::move(request), connection, std::move(unparsed_));
        }
        keep_alive_ = request.keep_alive;
        head_ = request.method == "HEAD";
        answering_ = true;
        handler_.on_request(std::move(request), [weak = weak_from_this()](HttpResponse response) {
            if (const auto self = weak.lock(); self && self->connection_) self->answer(std::move(response));
        });
    }
}

void HttpSession::answer(HttpResponse response) {
    connection_->send(serialize(response, keep_alive_, head_));
    if (response.shared_body && !head_) connection_->send(std::move(response.shared_body));
    if (!keep_alive_) return connection_->close();
    answering_ = false;
    connection_->set_reading(true);
    await_request(begun() ? limits::handshake_timeout : keep_alive_timeout);
    // From the loop's top, so that answers given at once do not nest.
    if (!unparsed_.empty()) shard_.post([self = shared_from_this()] { self->take_requests(); });
}

void HttpSession::on_closed() {
    timer_.cancel();
    connection_ = nullptr;
}

}  // namespace net
