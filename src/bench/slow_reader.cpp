#include "bench/slow_reader.hpp"

#include <stdexcept>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include "bench/frames.hpp"
#include "bench/rest.hpp"
#include "bench/stamp.hpp"
#include "protocol/codec.hpp"

namespace bench {
namespace {

using protocol::Action;

constexpr std::size_t read_bytes = 64 * 1024;
constexpr int receive_buffer_bytes = 64 * 1024;  // so that what waits, waits at the server
constexpr double connect_patience_s = 5;

}  // namespace

SlowReader::SlowReader(const Endpoint& server, std::string key, bool msgpack, std::string channel)
    : server_(server),
      format_(msgpack ? protocol::Format::msgpack : protocol::Format::json),
      key_(std::move(key)),
      channel_(std::move(channel)),
      buffer_(read_bytes) {}

void SlowReader::connect() {
    incomplete_.clear();
    open_ = attached_ = false;
    link_ = std::make_unique<Link>(server_.address());
    setsockopt(link_->fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    const auto resume = connection_key_.empty() ? std::string{} : "&resume=" + connection_key_;
    const auto path = fmt::format("/?key={}&v=4&heartbeats=false&format={}{}", key_,
                                  format_ == protocol::Format::json ? "json" : "msgpack", resume);
    append_upgrade(link_->out(), server_.host, path, {});
    pollfd writable{.fd = link_->fd(), .events = POLLOUT, .revents = 0};
    poll(&writable, 1, static_cast<int>(connect_patience_s * 1000));
    link_->flush();
}

void SlowReader::attach() {
    connect();
    while (!attached_) {
        if (!read(connect_patience_s)) throw std::runtime_error("the slow reader cannot attach");
    }
}

void SlowReader::catch_up(std::uint32_t sent, double patience_s) {
    while (check_.missing(sent) > 0 && read(patience_s)) continue;
    if (check_.missing(sent) == 0) return;
    come_back();
    while (check_.missing(sent) > 0 && read(patience_s)) continue;
}

void SlowReader::sip(std::int64_t now_ns, double bytes_per_s) {
    if (sips_since_ns_ == 0) sips_since_ns_ = now_ns;
    while (sipped_bytes_ < bytes_per_s * static_cast<double>(now_ns - sips_since_ns_) / 1e9) {
        pollfd readable{.fd = link_->fd(), .events = POLLIN, .revents = 0};
        if (poll(&readable, 1, 0) <= 0) return;
        if (!read(0)) come_back();
    }
}

void SlowReader::come_back() {
    ++drops_;
    attach();
}

bool SlowReader::read(double patience_s) {
    pollfd readable{.fd = link_->fd(), .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, static_cast<int>(patience_s * 1000)) <= 0) return false;
    const auto got = link_->read(buffer_);
    if (got < 0) return false;
    incomplete_.append(buffer_.data(), static_cast<std::size_t>(got));
    sipped_bytes_ += static_cast<double>(got);
    std::string_view bytes = incomplete_;
    if (!open_ && take_response(bytes)) open_ = true;
    while (open_) {
        const auto frame = take_frame(bytes);
        if (!frame) break;
        if (frame->opcode == Opcode::close) return false;
        if (frame->opcode == Opcode::ping) append_frame(link_->out(), Opcode::pong, frame->payload);
        if (frame->opcode != Opcode::text && frame->opcode != Opcode::binary) continue;
        if (const auto message = protocol::decode(format_, frame->payload)) hear(*message);
    }
    incomplete_.erase(0, incomplete_.size() - bytes.size());
    return link_->flush();
}

void SlowReader::hear(const protocol::ProtocolMessage& message) {
    if (!message.channel_serial.empty()) channel_serial_ = message.channel_serial;
    if (message.action == Action::connected) {
        connection_key_ = message.connection_details->connection_key;
        send({.action = Action::attach, .channel = channel_, .channel_serial = channel_serial_});
    } else if (message.action == Action::attached) {
        if (!attached_ && drops_ > 0 && (message.flags & protocol::flag::resumed) != 0) ++resumes_;
        attached_ = true;
    }
    for (const auto& each : message.messages) {
        const auto* text = std::get_if<std::string>(&each.data);
        if (const auto stamp = text ? read_stamp(*text) : std::nullopt) check_.take(stamp->number);
    }
}

void SlowReader::send(const protocol::ProtocolMessage& message) {
    append_frame(link_->out(), format_ == protocol::Format::json ? Opcode::text : Opcode::binary,
                 protocol::encode(format_, message));
    link_->flush();
}

}  // namespace bench
