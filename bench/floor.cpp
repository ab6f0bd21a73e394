// The floor: what a server costs that does nothing but the system calls. One thread, plain epoll. It answers Ably's clients with
// canned frames and, on a publish, writes frames of the same size and shape as palimpsest's to all subscribers of the channel.
//
//   floor --send each    one send() for each delivery
//   floor --send turn    what has piled up for a connection in a turn of the loop goes out in one send()
//
// What it leaves out: authentication, capabilities, history, resuming, presence, heartbeats, limits, and anything but JSON and
// MessagePack as `palimpsest bench` writes it. Prints its port. --port 0 (the default) takes any free one.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/frames.hpp"
#include "net/websocket_parser.hpp"
#include "protocol/codec.hpp"
#include "protocol/frame.hpp"

namespace {

using namespace std::literals;
using protocol::Action;
using protocol::Format;

constexpr std::size_t read_bytes = 256 * 1024, log_bytes_max = 256u << 20, request_bytes_max = 16'384, frame_bytes_max = 1u << 20;
constexpr int events_per_turn = 512, backlog = 4'096;

std::string canned(Format format, const protocol::ProtocolMessage& message) { return protocol::make_frame(format, message)->bytes; }

/// A frame of a message as palimpsest writes it, in which the data is put where it belongs.
class Template {
public:
    Template(Format format, const std::string& channel, std::size_t data_bytes) {
        protocol::ProtocolMessage message{.action = Action::message,
                                          .timestamp = 1'795'677'943'804,
                                          .id = "jGocMiqW6Z:0",
                                          .channel = channel,
                                          .channel_serial = "m1a216beef63-0000000001",
                                          .connection_id = "jGocMiqW6Z"};
        const std::string data(data_bytes, '\1');
        message.messages.push_back(
            {.id = "jGocMiqW6Z:0:0", .data = std::string(data_bytes, '~'), .serial = "m1a216beef63-0000000001:000"});
        bytes_ = canned(format, message);
        at_ = bytes_.find(std::string(data_bytes, '~'));
    }
    std::string_view with(std::string_view data) {
        std::memcpy(bytes_.data() + at_, data.data(), data.size());
        return bytes_;
    }

private:
    std::string bytes_;
    std::size_t at_ = 0;
};

struct Connection;

/// A channel in one format: what has been published, and who is told. All its frames are of one size, since all its payloads are.
struct Log {
    std::unique_ptr<Template> frame;
    std::size_t data_bytes = 0, frame_bytes = 0;
    std::string bytes;
    std::vector<Connection*> subscribers;
    bool touched = false;  // in this turn
};

struct Channel {
    std::array<Log, 2> logs;  // by format
};

struct Connection {
    int fd;
    Format format = Format::json;
    bool open = false;  // the WebSocket
    bool wants_out = false, doomed = false;
    std::string in, out;  // incomplete; not written yet
    Log* log = nullptr;   // of the channel it is attached to
    std::size_t at = 0;   // how far it has been told
    std::uint64_t acks = 0, first_ack = 0;
};

class Floor {
public:
    Floor(bool gathers, std::uint16_t port) : gathers_(gathers), epoll_(epoll_create1(0)), buffer_(read_bytes + frame_bytes_max) {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        const int on = 1;
        setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        if (bind(listener_, any, size) != 0 || listen(listener_, backlog) != 0 || getsockname(listener_, any, &size) != 0) {
            std::perror("floor");
            std::exit(1);
        }
        epoll_event wanted{.events = EPOLLIN, .data = {.ptr = nullptr}};
        epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &wanted);
        std::printf("%d\n", ntohs(address.sin_port));
        std::fflush(stdout);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, events_per_turn> events;
        for (;;) {
            const int count = epoll_wait(epoll_, events.data(), events_per_turn, -1);
            for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)]);
            for (auto* log : touched_) flush(*log);
            touched_.clear();
            for (auto* each : std::exchange(doomed_, {})) remove(each);
        }
    }

private:
    void on_event(const epoll_event& event) {
        auto* connection = static_cast<Connection*>(event.data.ptr);
        if (!connection) return accept_all();
        if (event.events & EPOLLOUT && !connection->doomed) {
            write_out(*connection);
            tell(*connection);
        }
        if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !connection->doomed) read(*connection);
    }

    void accept_all() {
        for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
            const int on = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            epoll_event wanted{.events = EPOLLIN, .data = {.ptr = new Connection{fd}}};
            epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted);
        }
    }

    void read(Connection& connection) {
        const auto kept = connection.in.size();
        if (kept > frame_bytes_max) return doom(connection);
        std::ranges::copy(connection.in, buffer_.begin());
        const auto got = recv(connection.fd, buffer_.data() + kept, read_bytes, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) return doom(connection);
        std::span<char> bytes{buffer_.data(), kept + static_cast<std::size_t>(got)};
        if (!connection.open) upgrade(connection, bytes);
        if (connection.open) take_frames(connection, bytes);
        connection.in.assign(bytes.begin(), bytes.end());
        if (bytes.empty()) connection.in = {};
        acknowledge(connection);
        write_out(connection);
    }

    void upgrade(Connection& connection, std::span<char>& bytes) {
        const std::string_view text{bytes.data(), bytes.size()};
        const auto end = text.find("\r\n\r\n");
        if (end == text.npos) return text.size() > request_bytes_max ? doom(connection) : void();
        constexpr auto header = "Sec-WebSocket-Key: "sv;
        const auto at = text.find(header);
        if (at == text.npos) return doom(connection);
        const auto key = text.substr(at + header.size(), text.find("\r\n", at) - at - header.size());
        if (text.substr(0, text.find("\r\n")).find("format=msgpack") != text.npos) connection.format = Format::msgpack;
        connection.out +=
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
            net::websocket_accept(key) + "\r\n\r\n" + connected_[connection.format == Format::msgpack];
        connection.open = true;
        bytes = bytes.subspan(end + 4);
    }

    void take_frames(Connection& connection, std::span<char>& bytes) {
        while (bytes.size() >= 6) {
            std::uint64_t length = static_cast<unsigned char>(bytes[1]) & 0x7fu;
            const std::size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0, header = 6 + length_bytes;
            if (bytes.size() < header) return;
            if (length_bytes > 0) length = 0;
            for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | static_cast<unsigned char>(bytes[2 + i]);
            if (length > frame_bytes_max) return doom(connection);
            if (bytes.size() < header + length) return;
            const auto payload = bytes.subspan(header, length);
            for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<char>(payload[i] ^ bytes[header - 4 + i % 4]);
            on_frame(connection, static_cast<unsigned char>(bytes[0]) & 15u, {payload.data(), payload.size()});
            bytes = bytes.subspan(header + length);
        }
    }

    /// What follows a marker up to its end: a quote in JSON, a length in front in MessagePack.
    static std::string_view value(std::string_view payload, Format format, std::string_view json_marker,
                                  std::string_view msgpack_marker) {
        const auto marker = format == Format::json ? json_marker : msgpack_marker;
        auto at = payload.find(marker);
        if (at == payload.npos) return {};
        at += marker.size();
        if (format == Format::json) return payload.substr(at, payload.find('"', at) - at);
        const auto byte = [&](std::size_t i) { return i < payload.size() ? static_cast<unsigned char>(payload[i]) : 0u; };
        const auto lead = byte(at++);
        if ((lead & 0xe0u) == 0xa0u) return payload.substr(at, lead & 0x1fu);
        if (lead == 0xd9) return payload.substr(std::min(at + 1, payload.size()), byte(at));
        return payload.substr(std::min(at + 2, payload.size()), byte(at) << 8 | byte(at + 1));
    }

    void on_frame(Connection& connection, unsigned opcode, std::string_view payload) {
        if (opcode == 8) return doom(connection);
        const bool json = connection.format == Format::json;
        const auto action = json ? payload.substr(0, payload.find_first_of(",}")) : payload.substr(1, 8);
        if (action == (json ? "{\"action\":15"sv
                            : "\xa6"
                              "action\x0f"sv))
            return publish(connection, payload);
        if (action == (json ? "{\"action\":10"sv
                            : "\xa6"
                              "action\x0a"sv))
            return attach(connection, payload);
        if (action == (json ? "{\"action\":7"sv
                            : "\xa6"
                              "action\x07"sv))
            doom(connection);
    }

    void attach(Connection& connection, std::string_view payload) {
        const std::string name{value(payload, connection.format, "\"channel\":\"",
                                     "\xa7"
                                     "channel")};
        auto& log = channels_[name].logs[connection.format == Format::msgpack];
        connection.log = &log;
        connection.at = log.bytes.size();
        log.subscribers.push_back(&connection);
        connection.out +=
            canned(connection.format,
                   {.action = Action::attached, .flags = 3'080'192, .channel = name, .channel_serial = "m1a216beef63-0000000000"});
    }

    void publish(Connection& connection, std::string_view payload) {
        const auto name = value(payload, connection.format, "\"channel\":\"",
                                "\xa7"
                                "channel");
        const auto data = value(payload, connection.format, "\"data\":\"",
                                "\xa4"
                                "data");
        ++connection.acks;
        name_.assign(name);
        const auto found = channels_.find(name_);
        if (found == channels_.end()) return;
        for (const auto format : {Format::json, Format::msgpack}) {
            auto& log = found->second.logs[format == Format::msgpack];
            if (!log.subscribers.empty()) append(log, format, data);
        }
    }

    void append(Log& log, Format format, std::string_view data) {
        if (!log.frame || log.data_bytes != data.size()) {
            log.frame = std::make_unique<Template>(format, name_, data.size());
            log.data_bytes = data.size();
            log.frame_bytes = log.frame->with(data).size();
        }
        log.bytes += log.frame->with(data);
        if (!gathers_) {
            for (auto* each : log.subscribers) {
                if (!each->wants_out) tell(*each);
            }
        }
        if (!std::exchange(log.touched, true)) touched_.push_back(&log);
    }

    void flush(Log& log) {
        log.touched = false;
        bool all = true;
        for (auto* each : log.subscribers) {
            if (!each->wants_out) tell(*each);
            all = all && each->at == log.bytes.size();
        }
        if (!all && log.bytes.size() < log_bytes_max) return;
        for (auto* each : log.subscribers) {
            if (each->at != log.bytes.size()) doom(*each);
            each->at = 0;
        }
        log.bytes.clear();
    }

    /// Writes what a subscriber has not been told yet, by frames or at once.
    void tell(Connection& connection) {
        if (!connection.log || connection.doomed || !connection.out.empty()) return;
        const auto& log = *connection.log;
        while (connection.at < log.bytes.size()) {
            auto size = log.bytes.size() - connection.at;
            if (!gathers_) size = std::min(size, log.frame_bytes - connection.at % log.frame_bytes);
            const auto sent = send(connection.fd, log.bytes.data() + connection.at, size, MSG_NOSIGNAL);
            if (sent < 0) return errno == EAGAIN ? want_out(connection, true) : doom(connection);
            connection.at += static_cast<std::size_t>(sent);
        }
        want_out(connection, false);
    }

    void acknowledge(Connection& connection) {
        if (connection.acks == 0) return;
        protocol::ProtocolMessage ack{.action = Action::ack,
                                      .count = static_cast<std::int64_t>(connection.acks),
                                      .msg_serial = static_cast<std::int64_t>(connection.first_ack)};
        connection.out += canned(connection.format, ack);
        connection.first_ack += std::exchange(connection.acks, 0);
    }

    void write_out(Connection& connection) {
        if (connection.out.empty() || connection.doomed) return;
        const auto sent = send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return doom(connection);
        connection.out.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
        if (connection.out.empty()) connection.out = {};
        want_out(connection, !connection.out.empty());
    }

    void want_out(Connection& connection, bool wants) {
        if (std::exchange(connection.wants_out, wants) == wants) return;
        epoll_event wanted{.events = EPOLLIN, .data = {.ptr = &connection}};
        if (wants) wanted.events |= EPOLLOUT;
        epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &wanted);
    }

    void doom(Connection& connection) {
        if (!std::exchange(connection.doomed, true)) doomed_.push_back(&connection);
    }

    void remove(Connection* connection) {
        close(connection->fd);
        if (connection->log) std::erase(connection->log->subscribers, connection);
        delete connection;
    }

    bool gathers_;
    int epoll_, listener_;
    std::vector<char> buffer_;
    std::unordered_map<std::string, Channel> channels_;
    std::string name_;
    std::vector<Log*> touched_;
    std::vector<Connection*> doomed_;
    const std::array<std::string, 2> connected_ = [] {
        const protocol::ProtocolMessage message{.action = Action::connected,
                                                .connection_id = "jGocMiqW6Z",
                                                .connection_details = protocol::ConnectionDetails{
                                                    .connection_key = "jGocMiqW6Z!1a216beef63!0iGuhrc5!UB4J6ujVCLOQCueP6ErJvA",
                                                    .server_id = "ImyNy61MCY",
                                                    .max_message_size = 65'536,
                                                    .max_frame_size = 524'288,
                                                    .connection_state_ttl_ms = 120'000,
                                                    .max_idle_interval_ms = 15'000}};
        return std::array{canned(Format::json, message), canned(Format::msgpack, message)};
    }();
};

}  // namespace

int main(int argc, char** argv) {
    bool gathers = true;
    unsigned port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i], value = argv[i + 1];
        if (name == "--send") gathers = value == "turn";
        if (name == "--port") std::from_chars(value.data(), value.data() + value.size(), port);
    }
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    std::signal(SIGPIPE, SIG_IGN);
    Floor{gathers, static_cast<std::uint16_t>(port)}.run();
}
