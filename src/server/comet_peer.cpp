#include "server/comet_peer.hpp"

#include "base/limits.hpp"
#include "server/responses.hpp"

namespace server {

using base::ErrorCode;
using protocol::Format;

CometPeer::CometPeer(net::Shard& shard, realtime::Hub& hub, Way way, Owner& owner)
    : shard_(shard), hub_(hub), way_(way), owner_(owner), farewell_(shard.io()) {}

void CometPeer::open(realtime::Hub::ConnectRequest request, std::shared_ptr<net::HttpStream> answer) {
    wait(std::move(answer));
    hub_.connect(std::move(request), weak_from_this(), [this](base::Result<realtime::Connection*> connection) {
        if (!connection) return refuse(connection.error());
        connection_ = *connection;
        connection_id_ = connection_->id();
        key_nonce_ = connection_->key_nonce();
        queued_bytes_max_ = connection_->identity().app->limits.outbound_bytes;
        owner_.on_connected(*this);
    });
}

void CometPeer::refuse(const base::Error& error) {
    send(protocol::make_frame(Format::json, {.action = protocol::Action::error, .error = error}));
    finish();
}

void CometPeer::wait(std::shared_ptr<net::HttpStream> answer) {
    if (waiting_) std::exchange(waiting_, nullptr)->end("[]");
    waiting_ = std::move(answer);
    heard_ = true;
    streamed_bytes_ = 0;
    waiting_->on_gone = [self = shared_from_this(), which = waiting_.get()] {
        if (self->waiting_.get() == which) self->lost();
    };
    flush_soon();
}

void CometPeer::send(const protocol::FramePtr& frame) {
    queued_bytes_ += frame->payload().size();
    push(frame);
}

void CometPeer::answer(const protocol::FramePtr& frame) {
    answered_bytes_ += frame->payload().size();
    push(frame);
}

void CometPeer::push(const protocol::FramePtr& frame) {
    idle_ = false;
    overrun_ = overrun_ || queued_bytes_ > queued_bytes_max_ || answered_bytes_ > base::limits::answers_bytes_max;
    if (overrun_) queue_.clear();
    else queue_.push_back(frame);
    flush_soon();
}

/// At the end of the turn, for all that comes in it.
void CometPeer::flush_soon() {
    if (std::exchange(flush_scheduled_, true)) return;
    shard_.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->flush();
    });
}

void CometPeer::flush() {
    flush_scheduled_ = false;
    if (overrun_) return lost();
    if (!waiting_ || (queue_.empty() && !finished_)) return;
    std::string line;
    for (const auto& frame : queue_) line += (line.empty() ? "[" : ",") + std::string{frame->payload()};
    line += line.empty() ? "[]\n" : "]\n";
    queue_.clear();
    queued_bytes_ = answered_bytes_ = 0;
    streamed_bytes_ += line.size();
    if (way_ == Way::stream && !finished_ && streamed_bytes_ < base::limits::comet_stream_bytes_max) return waiting_->write(line);
    std::exchange(waiting_, nullptr)->end(line);
    if (finished_) over();
}

void CometPeer::take(std::vector<protocol::Received> frames, net::HttpHandler::Reply reply) {
    if (said_reply_) return reply(respond_error(Format::json, {ErrorCode::rate_limit_exceeded, "One request to send at a time"}));
    heard_ = true;
    said_.assign(std::make_move_iterator(frames.begin()), std::make_move_iterator(frames.end()));
    said_reply_ = std::move(reply);
    go_on();
}

void CometPeer::go_on() {
    const auto self = shared_from_this();  // what it says may be a goodbye
    while (connection_ && reading_ && !said_.empty()) {
        auto frame = std::move(said_.front());
        said_.pop_front();
        if (auto* message = std::get_if<protocol::ProtocolMessage>(&frame)) hub_.receive(*connection_, std::move(*message));
        else hub_.refuse(*connection_, std::get<protocol::Refused>(frame));
    }
    if (connection_ && !said_.empty()) return;
    said_.clear();
    if (auto reply = std::exchange(said_reply_, nullptr)) reply({.status = 204});
}

void CometPeer::set_reading(bool reading) {
    if (std::exchange(reading_, reading) || !reading || said_.empty()) return;
    shard_.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->go_on();
    });
}

void CometPeer::finish() {
    if (connection_) last_owner_ = connection_->identity();
    connection_ = nullptr;
    finished_ = true;
    flush_soon();
    farewell_.expires_after(base::limits::comet_farewell);
    farewell_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) self->over();
    });
}

/// The client has gone, or does not ask for what it is told.
void CometPeer::lost() {
    const auto self = shared_from_this();
    if (auto* connection = std::exchange(connection_, nullptr)) hub_.transport_lost(*connection);
    over();
}

void CometPeer::over() {
    const auto self = shared_from_this();
    farewell_.cancel();
    if (const auto waiting = std::exchange(waiting_, nullptr)) waiting->end("[]");
    go_on();
    owner_.on_over(*this);
}

}  // namespace server
