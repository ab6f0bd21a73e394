#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "chunks.hpp"
#include "net/http_session.hpp"

using namespace net;

namespace {

/// Answers with what it was asked: at once, later, or in pieces, as the path says.
class Echo final : public HttpHandler {
public:
    explicit Echo(Shard& shard) : shard_(shard) {}

    void on_request(HttpRequest request, Reply reply) override {
        HttpResponse response{.body = request.method + ' ' + request.path + '\n' + request.body};
        const auto how = request.segments.empty() ? std::string{} : request.segments.front();
        if (how == "stream") {
            const auto stream = response.stream = std::make_shared<HttpStream>();
            stream->on_gone = [] {};
            const auto text = std::exchange(response.body, {});
            reply(std::move(response));
            stream->write(text);
            return shard_.post([stream] { stream->end("end"); });
        }
        if (how != "later") return reply(std::move(response));
        shard_.post([reply = std::move(reply), response = std::move(response)]() mutable { reply(std::move(response)); });
    }
    std::optional<std::size_t> elsewhere(const HttpRequest&) override { return std::nullopt; }
    void move(std::size_t, MovingSession) override {}
    /// Refuses it. What came behind the request is not told: how much had come by then depends on the pieces.
    void on_websocket(HttpRequest request, std::shared_ptr<TcpConnection> connection, std::string) override {
        connection->send("refused " + request.path);
        connection->close();
    }
    HttpResponse on_refused(HttpParser::State why, std::string_view what) override {
        return {.status = 400, .body = std::to_string(static_cast<int>(why)) + std::string{what}};
    }

private:
    Shard& shard_;
};

/// A client of the session, at the other end of a pair of sockets.
class Client {
public:
    explicit Client(Shard& shard) : shard_(shard), echo_(shard) {
        PAL_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()) == 0);
        asio::ip::tcp::socket socket{shard.io()};
        socket.assign(asio::ip::tcp::v4(), ends_[0]);
        session_ = std::make_shared<HttpSession>(
            shard, std::make_shared<TcpConnection>(shard, std::move(socket), base::limits::answers_bytes_max), echo_);
        session_->start();
        turn();
    }
    ~Client() {
        ::close(ends_[1]);
        session_.reset();
        shard_.abandon_all();
        turn();
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// False once the session listens no more.
    bool send(std::string_view piece) {
        const auto sent = ::send(ends_[1], piece.data(), piece.size(), MSG_NOSIGNAL);
        turn();
        constexpr auto held_max =
            base::limits::http_header_bytes_max + base::limits::http_body_bytes_max + base::limits::http_pipelined_bytes_max;
        PAL_ASSERT(session_->held_bytes() <= held_max + shard_.read_buffer().size());
        return sent == static_cast<ssize_t>(piece.size());
    }
    /// All that came back, but for what only says to go on: it depends on whether the rest was there already.
    std::string heard() {
        constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        for (auto at = heard_.find(go_on); at != heard_.npos; at = heard_.find(go_on)) heard_.erase(at, go_on.size());
        return heard_;
    }

private:
    void turn() {
        shard_.io().restart();
        while (shard_.io().poll() > 0) {
        }
        std::array<char, 4'096> buffer;
        for (ssize_t got = 0; (got = ::recv(ends_[1], buffer.data(), buffer.size(), 0)) > 0;)
            heard_.append(buffer.data(), static_cast<std::size_t>(got));
    }

    Shard& shard_;
    Echo echo_;
    std::array<int, 2> ends_{};
    std::shared_ptr<HttpSession> session_;
    std::string heard_;
};

}  // namespace

/// In whatever pieces requests come, they get the same answers, in their order, and a session keeps no more of them than it may.
void fuzz_one(std::span<const std::byte> input) {
    static Shard shard{"fuzz"};  // that this thread runs
    const fuzz::Chunked chunked{input};
    Client whole{shard}, pieces{shard};
    whole.send(chunked.stream);
    chunked.each([&](std::string_view piece) { return pieces.send(piece); });
    PAL_ASSERT(whole.heard() == pieces.heard());
}
