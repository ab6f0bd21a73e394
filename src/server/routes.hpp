#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "net/gate.hpp"
#include "realtime/hub.hpp"
#include "server/allowed_hosts.hpp"
#include "server/browser_auth.hpp"
#include "server/call.hpp"
#include "server/comet.hpp"
#include "server/nonces.hpp"
#include "server/outgoing_frames.hpp"
#include "server/static_files.hpp"

namespace server {

/// What all shards serve by. Built before they start; only `apps`, `nonces`, `gate` and `ready` change, and they see to threads themselves.
struct Site {
    auth::Apps& apps;
    std::optional<BrowserAuth> browser_auth;
    std::vector<std::string> cors_origins;  // may use /auth and /api with cookies; the Ably REST API is open to all origins
    StaticFiles files;
    bool websocket_compression = false;
    AllowedHosts hosts;              // that /auth, /api and /metrics are asked by
    bool metrics_elsewhere = false;  // on a port of their own
    Nonces nonces;
    net::Gate* gate = nullptr;  // limits by address; whoever listens sets it
    std::function<bool()> ready;  // for /readyz
    std::function<void(base::MetricsText&)> more_metrics;  // for /metrics, besides our own; any thread. May be empty
};

/// Whose pages may read the answers of a route (CORS). It is the route's, so that no way to write a path changes it.
enum class Readers : std::uint8_t {
    any_page,   // that has a key or a token: the Ably REST API is open to all origins
    our_pages,  // who asks is known by a cookie, or need not be: our own origin and cors_origins, under a Host that is ours
    operators,  // no page at all
};

/// A route that another folder brings, such as /api. Shard-owned.
struct ExtraRoute {
    std::string_view method;
    std::vector<std::string_view> pattern;  // "*" is any segment
    Readers readers;
    std::function<void(Call)> handle;
};
using Extension = std::vector<ExtraRoute>;

/// Who is served: clients, at the address that they know, or operators at one of their own.
enum class Door : std::uint8_t { clients, operators };

/// One shard's HTTP: the Ably REST API (RSC), /auth, health, and the page. Shard-owned.
class Routes final : public net::HttpHandler {
public:
    /// Takes a client to another shard; any shard.
    using Move = std::function<void(std::size_t shard, net::MovingSession)>;

    Routes(net::Shard& shard, realtime::Hub& hub, Site& site, Extension extension, Move move, Door door = Door::clients)
        : shard_(shard), hub_(hub), site_(site), extension_(std::move(extension)), move_(std::move(move)), door_(door), comet_(shard, hub) {
        if (site.websocket_compression) compressed_.emplace(&deflated_.emplace());
    }

    void on_request(net::HttpRequest request, Reply reply) override;
    std::optional<std::size_t> elsewhere(const net::HttpRequest& request) override { return comet_.elsewhere(request); }
    void move(std::size_t shard, net::MovingSession session) override { move_(shard, std::move(session)); }
    void on_websocket(net::HttpRequest request, std::shared_ptr<net::TcpConnection> connection, std::string rest) override;
    net::HttpResponse on_refused(net::HttpParser::State why, std::string_view what) override;

    /// Does no client wait to ask for the last that it is told?
    bool idle() const { return comet_.idle(); }

private:
    enum class Open : bool { no, yes };  // yes: no credentials are asked for
    struct Route {
        std::string_view method;
        std::vector<std::string_view> pattern;  // "*" is any segment
        void (Routes::*handle)(Call);
        Open open = Open::no;
        Readers readers = Readers::any_page;
    };
    static const std::vector<Route> table;

    /// What a request is for, looked up once.
    struct Found {
        const Route* route = nullptr;       // of ours
        const ExtraRoute* extra = nullptr;  // or of another folder's
        Readers readers = Readers::any_page;
        std::string methods;  // that the path has; empty: there is no such path
    };
    Found find(const net::HttpRequest& request) const;
    bool serves(const Route& route) const;
    void dispatch(const Found& found, net::HttpRequest request, Reply reply);
    void refuse_unknown(const Found& found, const net::HttpRequest& request, Reply reply) const;
    base::Result<void> check_host(const Found& found, const net::HttpRequest& request) const;
    bool answers(const Found& found) const;
    void begin(const Found& found, Call call);
    void count_answer(Call& call, std::string app_id, stats::Request kind);

    // rest_auth.cpp
    void time(Call call);
    void request_token(Call call);
    void revoke_tokens(Call call);
    // rest_channels.cpp
    void publish(Call call);
    void history(Call call);
    void presence(Call call);
    void presence_history(Call call);
    void page_of_history(Call call, protocol::Action kind);
    // rest_batch.cpp
    void publish_batch(Call call);
    void presence_batch(Call call);
    // rest_stats.cpp
    void stats(Call call);
    // rest_status.cpp
    void channel_status(Call call);
    void channels(Call call);
    // rest_messages.cpp
    void message(Call call);
    void versions(Call call);
    void change(Call call);
    void annotate(Call call);
    void annotations(Call call);
    // metrics.cpp
    void metrics(Call call);
    // routes.cpp
    bool may_ask_for_token(const net::HttpRequest& request) const;
    void refuse_token(Call& call) const;
    void browser_auth(Call call);
    void health(Call call);
    void readiness(Call call);
    void connectivity(Call call);
    void event_stream(Call call);
    void comet_connect(Call call);
    void comet(Call call);

    net::Shard& shard_;
    realtime::Hub& hub_;
    Site& site_;
    Extension extension_;
    Move move_;
    Door door_;
    Comet comet_;
    OutgoingFrames plain_;
    std::optional<DeflatedFrames> deflated_;
    std::optional<OutgoingFrames> compressed_;
};

}  // namespace server
