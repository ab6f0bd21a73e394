#include "app/operations.hpp"

#include "base/limits.hpp"

namespace app {
namespace {

net::HttpResponse text(int status, std::string body) {
    return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = std::move(body)};
}

net::HttpResponse metrics_response(std::string text) {
    return {.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, .body = std::move(text)};
}

}  // namespace

class Operations::Handler final : public net::HttpHandler {
public:
    explicit Handler(Answers answers) : answers_(std::move(answers)) {}

    void on_request(net::HttpRequest request, Reply reply) override {
        if (request.method != "GET" && request.method != "HEAD") return reply(text(405, "GET only\n"));
        const auto path = request.segments.size() == 1 ? request.segments.front() : std::string{};
        if (path == "healthz") return reply(text(200, "ok\n"));
        if (path == "metrics") return reply(metrics_response(answers_.metrics()));
        if (path != "readyz") return reply(text(404, "/healthz, /readyz and /metrics are here\n"));
        const auto why = answers_.not_ready();
        reply(why.empty() ? text(200, "ready\n") : text(503, why + "\n"));
    }
    std::optional<std::size_t> elsewhere(const net::HttpRequest&) override { return std::nullopt; }
    void move(std::size_t, net::MovingSession) override {}
    void on_websocket(net::HttpRequest, std::shared_ptr<net::TcpConnection> connection, std::string) override {
        connection->send(net::serialize(text(404, "no clients are served here\n"), false, false));
        connection->close();
    }
    net::HttpResponse on_refused(net::HttpParser::State, std::string_view) override { return text(400, "not a proper HTTP request\n"); }

private:
    Answers answers_;
};

Operations::Operations(const std::string& host, std::uint16_t port, Answers answers)
    : shard_("operations"),
      handler_(std::make_unique<Handler>(std::move(answers))),
      listener_(shard_, host, port, true, [this](net::asio::ip::tcp::socket socket) {
          auto connection = std::make_shared<net::TcpConnection>(shard_, std::move(socket), base::limits::answers_bytes_max);
          std::make_shared<net::HttpSession>(shard_, std::move(connection), *handler_)->start();
      }) {
    shard_.start();
    shard_.call([this] { listener_.start(); });
}

Operations::~Operations() {
    shard_.call([this] {
        listener_.stop();
        shard_.abandon_all();
    });
    shard_.stop_and_join();
}

}  // namespace app
