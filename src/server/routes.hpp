#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/http_session.hpp"
#include "realtime/hub.hpp"
#include "server/nonces.hpp"
#include "server/static_files.hpp"

namespace server {

/// What browsers are given by GET /auth.
struct BrowserAuth {
    auth::KnownKey key;
    /// What a browser may do, with "<clientId>" where its own goes.
    std::string capability_template;
    std::string cookie_secret;  // signs the clientId that a browser keeps
};

/// What all shards serve by. Built before they start; only `nonces` and `ready` change, and both see to threads themselves.
struct Site {
    const auth::Apps& apps;
    std::optional<BrowserAuth> browser_auth;
    std::vector<std::string> cors_origins;  // may use /auth and /api with cookies; the Ably REST API is open to all origins
    StaticFiles files;
    Nonces nonces;
    std::function<bool()> ready;  // for /readyz
};

/// Routes that another folder brings, such as /api. Shard-owned. True when it has taken the request.
using Extension = std::function<bool(net::HttpRequest& request, net::HttpHandler::Reply& reply)>;

/// One shard's HTTP: the Ably REST API (RSC), /auth, health, and the page. Shard-owned.
class Routes final : public net::HttpHandler {
public:
    Routes(realtime::Hub& hub, Site& site, Extension extension) : hub_(hub), site_(site), extension_(std::move(extension)) {}

    void on_request(net::HttpRequest request, Reply reply) override;
    void on_websocket(net::HttpRequest request, std::shared_ptr<net::TcpConnection> connection, std::string rest) override;
    net::HttpResponse on_refused(net::HttpParser::State why) override;

private:
    using Segments = std::vector<std::string>;  // of the path, decoded
    struct Route {
        std::string_view method;
        std::vector<std::string_view> pattern;  // "*" is any segment
        void (Routes::*handle)(const net::HttpRequest&, const Segments&, Reply);
    };
    static const std::vector<Route> table;

    void dispatch(net::HttpRequest request, Reply reply);
    void take(const Route& route, const net::HttpRequest& request, const Segments& segments, Reply reply);

    // rest.cpp
    void time(const net::HttpRequest&, const Segments&, Reply);
    void request_token(const net::HttpRequest&, const Segments&, Reply);
    void publish(const net::HttpRequest&, const Segments&, Reply);
    void history(const net::HttpRequest&, const Segments&, Reply);
    void presence(const net::HttpRequest&, const Segments&, Reply);
    void presence_history(const net::HttpRequest&, const Segments&, Reply);
    void page_of_history(const net::HttpRequest&, const Segments&, protocol::Action kind, Reply);
    // routes.cpp
    void browser_auth(const net::HttpRequest&, const Segments&, Reply);
    void health(const net::HttpRequest&, const Segments&, Reply);
    void readiness(const net::HttpRequest&, const Segments&, Reply);
    void connectivity(const net::HttpRequest&, const Segments&, Reply);

    realtime::Hub& hub_;
    Site& site_;
    Extension extension_;
};

}  // namespace server
