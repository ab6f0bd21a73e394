#include "app/sandbox.hpp"

#include <limits>

#include "app/app_request.hpp"
#include "app/node.hpp"
#include "app/signals.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "server/credentials.hpp"
#include "stats/fixtures.hpp"

namespace app {
namespace {

using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;
using server::Call;

/// Whose the members are that an app is made with. No connection has this id, so nothing makes them leave.
const std::string fixtures_connection = "fixtures";

Error no_such_app(std::string_view app_id) { return {ErrorCode::not_found, fmt::format("No application found with id {}", app_id)}; }

broker::Draft entering(const ChannelFixture& channel) {
    broker::Draft draft;
    draft.message = {.action = protocol::Action::presence, .channel = channel.name, .connection_id = fixtures_connection,
                     .presence = channel.presence};
    for (std::size_t i = 0; auto& each : draft.message.presence) {
        each.connection_id = fixtures_connection;
        each.id = fmt::format("{}:0:{}", fixtures_connection, i++);
    }
    return draft;
}

/// Where the caller found us is where clients will.
std::string endpoint_of(const net::HttpRequest& request, const Config& config) {
    const auto host = request.header("host");
    const auto name = host.substr(0, host.starts_with('[') ? std::min(host.find(']') + 1, host.size()) : host.find(':'));
    return name.empty() ? config.listen_host : std::string{name};
}

Result<std::string> json_of(const net::HttpRequest& request) {
    if (server::format_sent(request) == protocol::Format::msgpack) return protocol::msgpack_to_json(request.body);
    return request.body;
}

/// The server with the routes that make and end apps. Its methods run on the shard of the request.
class Sandbox {
public:
    explicit Sandbox(const Config& config)
        : config_(config), node_(config, facts_, site_, [this](net::Shard& shard) {
              return Node::ShardParts{.database = {}, .tap = {}, .archive = {}, .extension = routes(shard)};
          }) {}

    Node& node() { return node_; }

private:
    /// An app that is being made: its members enter one channel after the other.
    struct Making {
        AppRequest request;
        auth::AppPtr app;
        net::Shard& shard;
        Call call;
    };

    server::Extension routes(net::Shard& shard) {
        using enum server::Readers;
        return {{"POST", {"apps"}, any_page, [this, &shard](Call call) { create(shard, std::move(call)); }},
                {"DELETE", {"apps", "*"}, any_page, [this](Call call) { remove(std::move(call)); }},
                {"POST", {"stats"}, any_page, [this, &shard](Call call) { add_stats(shard, std::move(call)); }}};
    }

    void create(net::Shard& shard, Call call) {
        const auto body = json_of(call.request);
        if (!body) return call.refuse(body.error());
        auto request = app_request_from_json(*body);
        if (!request) return call.refuse(request.error());
        const auto answer = to_json(*request, endpoint_of(call.request, config_), node_.port());
        auto app = apps_.add(std::move(request->app));
        if (!app) return call.refuse(app.error());
        enter_members(std::make_shared<Making>(Making{*std::move(request), *app, shard, std::move(call)}), answer, 0);
    }

    void enter_members(const std::shared_ptr<Making>& making, const std::string& answer, std::size_t from) {
        if (from == making->request.channels.size()) {
            base::log::info("at=app_created app={}", making->app->id);
            return making->call.reply(server::respond_json(making->call.format, 201, answer));
        }
        const auto& channel = making->request.channels[from];
        if (channel.presence.empty()) return enter_members(making, answer, from + 1);
        const auto address = making->app->id + "/" + channel.name;
        const realtime::ChannelBounds bounds{.members = making->app->limits.presence_members_per_channel};
        auto entered = [this, making, answer, from](Result<std::vector<std::string>> done) {
            making->shard.post([this, making, answer, from, done = std::move(done)] {
                if (done) return enter_members(making, answer, from + 1);
                end(making->app->id);
                making->call.refuse(done.error());
            });
        };
        node_.post_home(address, [address, draft = entering(channel), bounds, entered = std::move(entered)](realtime::Hub& hub) mutable {
            hub.publish(address, std::move(draft), bounds, std::move(entered));
        });
    }

    /// Whoever names credentials must have a key of the app; whoever names none is believed.
    void remove(Call call) {
        const auto& app_id = call.request.segments[1];
        if (!call.request.header("authorization").empty()) {
            const auto identity = server::identify(call.request, apps_, base::now());
            if (!identity) return call.refuse(identity.error());
            if (identity->app_id() != app_id) return call.refuse({ErrorCode::invalid_credentials, "The key is another app's"});
        }
        if (!end(app_id)) return call.refuse(no_such_app(app_id));
        call.reply({.status = 204});
    }

    /// G3: minutes that GET /stats is to tell of, as if they had been counted.
    void add_stats(net::Shard& shard, Call call) {
        const auto identity = server::identify(call.request, apps_, base::now());
        if (!identity) return call.refuse(identity.error());
        const auto body = json_of(call.request);
        if (!body) return call.refuse(body.error());
        auto fixtures = stats::parse_fixtures(*body);
        if (!fixtures) return call.refuse(fixtures.error());
        node_.post(0, [&shard, app_id = identity->app_id(), fixtures = *std::move(fixtures),
                       call = std::move(call)](realtime::Hub& hub) mutable {
            for (const auto& [minute, counters] : fixtures) hub.stats().add(app_id, minute, counters);
            shard.post([call = std::move(call)]() mutable { call.reply(server::respond_json(call.format, 201, "{}")); });
        });
    }

    bool end(const std::string& app_id) {
        if (!apps_.remove(app_id)) return false;
        base::log::info("at=app_removed app={}", app_id);
        for (std::size_t shard = 0; shard < node_.shards(); ++shard) {
            node_.post(shard, [app_id](realtime::Hub& hub) {
                hub.end_connections([&](const auth::Identity& identity) { return identity.app_id() == app_id; }, no_such_app(app_id));
                const auto of_app = [prefix = app_id + "/"](const std::string& address) { return address.starts_with(prefix); };
                for (const auto& channel : hub.home().active(of_app, "", std::numeric_limits<std::size_t>::max())) {
                    hub.home().leave(channel.address, channel.address.substr(app_id.size() + 1), fixtures_connection, {});
                }
                hub.stats().forget(app_id);
            });
        }
        return true;
    }

    const Config& config_;
    auth::Apps apps_;
    const realtime::ServerFacts facts_{.apps = apps_,
                                       .server_id = base::random_id(10),
                                       .connection_secret = base::random_id(43),
                                       .epoch = static_cast<std::uint64_t>(base::to_ms(base::now()))};
    server::Site site_{.apps = apps_, .browser_auth = {}, .cors_origins = {}, .files = {}, .nonces = {}, .ready = [] { return true; }};
    Node node_;
};

}  // namespace

int sandbox(const Config& config) {
    block_signals();
    Sandbox sandbox{config};
    sandbox.node().start();
    base::log::info("at=serving_sandbox url=http://{}:{} shards={}", config.listen_host, sandbox.node().port(), sandbox.node().shards());
    wait_for_stop_signal();
    base::log::info("at=stopping");
    sandbox.node().wind_down(config.drain);
    sandbox.node().stop();
    return 0;
}

}  // namespace app
