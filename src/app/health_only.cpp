#include "app/health_only.hpp"

#include "server/responses.hpp"

namespace app {
namespace {

net::HttpResponse refusal(const net::HttpRequest& request) {
    auto response = server::respond_error(server::format_wanted(request), {base::ErrorCode::unavailable,
                                          "The server has no room for more connections; try again later"});
    response.headers.emplace_back("Retry-After", "5");
    return response;
}

}  // namespace

void HealthOnly::on_request(net::HttpRequest request, Reply reply) {
    const auto& segments = request.segments;
    const bool asks_how_it_is = segments.size() == 1 && (segments[0] == "healthz" || segments[0] == "readyz" || segments[0] == "metrics");
    if (asks_how_it_is) return routes_.on_request(std::move(request), std::move(reply));
    reply(refusal(request));
}

void HealthOnly::on_websocket(net::HttpRequest request, std::shared_ptr<net::TcpConnection> connection, std::string) {
    connection->send(net::serialize(refusal(request), false, false));
    connection->close();
}

}  // namespace app
