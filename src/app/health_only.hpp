#pragma once

#include "net/http_session.hpp"

namespace app {

/// Serves those whom the server has no room for: they are told how it is (/healthz, /readyz, /metrics) by `routes`, and refused anything
/// else. Shard-owned.
class HealthOnly final : public net::HttpHandler {
public:
    explicit HealthOnly(net::HttpHandler& routes) : routes_(routes) {}

    void on_request(net::HttpRequest request, Reply reply) override;
    std::optional<std::size_t> elsewhere(const net::HttpRequest&) override { return std::nullopt; }
    void move(std::size_t, net::MovingSession) override {}
    void on_websocket(net::HttpRequest request, std::shared_ptr<net::TcpConnection> connection, std::string rest) override;
    net::HttpResponse on_refused(net::HttpParser::State why, std::string_view what) override { return routes_.on_refused(why, what); }

private:
    net::HttpHandler& routes_;
};

}  // namespace app
