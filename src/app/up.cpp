#include "app/up.hpp"

#include <atomic>
#include <cstdio>

#include <fmt/format.h>

#include "app/chat_api.hpp"
#include "app/connector_config.hpp"
#include "app/connector_metrics.hpp"
#include "app/hub_sink.hpp"
#include "app/node.hpp"
#include "app/pubsub.hpp"
#include "app/rules.hpp"
#include "app/schema.hpp"
#include "app/signals.hpp"
#include "archive/postgres_archive.hpp"
#include "base/log.hpp"
#include "connector/channel_template.hpp"
#include "connector/connector.hpp"
#include "postgres/private_cluster.hpp"

namespace app {
namespace {

using namespace std::chrono_literals;

/// What /readyz is made of. Written by the connector's shard, read by all.
struct Readiness {
    std::atomic<bool> caught_up{false}, streaming{false};
    bool ready() const { return caught_up && streaming; }
};

std::unique_ptr<postgres::PrivateCluster> start_cluster(const Config& config) {
    auto cluster = postgres::PrivateCluster::start({.directory = config.data / "postgres"});
    if (!cluster) throw std::runtime_error(cluster.error().message);
    return *std::move(cluster);
}

Node::MakeParts chat_parts(const Config& config, PubSub& pubsub, const ChatReaders& readers, const std::string& conninfo) {
    return [&config, &pubsub, &readers, conninfo](net::Shard& shard) {
        const auto pool = std::make_shared<postgres::Pool>(shard.io(), conninfo);
        return Node::ShardParts{.database = pool,
                                .tap = std::make_unique<Rules>(shard.io(), *pool, config.rules, pubsub.app_id()),
                                .archive = std::make_unique<archive::PostgresArchive>(shard.io(), *pool),
                                .extension = chat_api(*pool, pubsub.site(), readers)};
    };
}

/// The connector on a shard of its own, publishing into the node. Main thread.
class ConnectorThread {
public:
    ConnectorThread(Node& node, Readiness& readiness, ConnectorMetrics& metrics)
        : node_(node), readiness_(readiness), metrics_(metrics), shard_("connector"), sink_(shard_, node.mesh()) {
        shard_.start();
    }
    ~ConnectorThread() { stop(); }

    void start(connector::Config config) {
        shard_.call([&] {
            connector_ = std::make_unique<connector::Connector>(shard_.io(), std::move(config), counted(events(), metrics_));
        });
    }
    void feed(std::vector<connector::Feed> feeds) {
        shard_.call([&] { connector_->reconfigure(std::move(feeds)); });
    }
    void stop() {
        if (!connector_) return;
        shard_.call([this] { connector_.reset(); });
        shard_.stop_and_join();
    }

private:
    connector::Events events() {
        return {
            .sink = [this](const std::string& address, broker::Draft draft,
                           HubSink::Done done) { sink_.publish(address, std::move(draft), std::move(done)); },
            .on_start =
                [this](const std::string& address, broker::WalPlace place) {
                    node_.post_home(address, [address, place](realtime::Hub& hub) { hub.home().broker().start_at(address, place); });
                },
            .on_start_under =
                [this](const std::string& prefix, broker::WalPlace place, bool all) {
                    for (std::size_t i = 0; i < node_.shards(); ++i) {
                        node_.post(i, [prefix, place, all](realtime::Hub& hub) { hub.home().broker().start_under(prefix, place, all); });
                    }
                },
            .on_gap =
                [this](const std::string& address, bool is_prefix, broker::WalPlace place) {
                    const auto interrupt = [address, is_prefix, place](realtime::Hub& hub) {
                        hub.home().interrupt(address, is_prefix, place);
                    };
                    if (!is_prefix) return node_.post_home(address, interrupt);
                    for (std::size_t i = 0; i < node_.shards(); ++i) node_.post(i, interrupt);
                },
            .on_caught_up =
                [this] {
                    for (std::size_t i = 0; i < node_.shards(); ++i)
                        node_.post(i, [](realtime::Hub& hub) { hub.home().caught_up(); });
                    readiness_.caught_up = true;
                },
            .on_state = [this](connector::State state,
                               const std::string&) { readiness_.streaming = state == connector::State::streaming; }};
    }

    Node& node_;
    Readiness& readiness_;
    ConnectorMetrics& metrics_;
    net::Shard shard_;
    HubSink sink_;
    std::unique_ptr<connector::Connector> connector_;
};

void feed_channels(Node& node, const Config& config, const PubSub& pubsub) {
    std::unordered_set<std::string> fed;
    std::vector<std::string> under;  // what the channels' addresses start with that are made of columns
    for (const auto& table : config.tables) {
        const auto channel = connector::ChannelTemplate::parse(table.channel);  // load_config() has checked it
        if (channel && channel->is_fixed()) fed.insert(pubsub.address(channel->prefix()));
        else if (channel) under.push_back(pubsub.address(channel->prefix()));
    }
    for (std::size_t i = 0; i < node.shards(); ++i) {
        node.post(i, [fed, under](realtime::Hub& hub) { hub.home().fed_by_database(fed, under); });
    }
}

void greet(const Config& config, const Node& node, const postgres::PrivateCluster* cluster) {
    const auto host = config.listen_host == "127.0.0.1" || config.listen_host == "0.0.0.0" ? "localhost" : config.listen_host;
    const auto url = fmt::format("http://{}:{}", host.contains(':') ? "[" + host + "]" : host, node.port());
    std::string key = config.keys.empty() ? (config.data / "api-key").string() : "as configured";
    std::fprintf(stdout,
                 "\n  Palimpsest is up\n\n"
                 "    chat       %s\n"
                 "    SDKs       endpoint %s, port %u, tls false; API key in %s\n"
                 "    database   %s\n"
                 "    threads    %zu for clients, 1 for the connector\n\n"
                 "  Ctrl-C stops everything.\n\n",
                 config.web.empty() ? "no page (--web FOLDER serves one)" : url.c_str(), host.c_str(), node.port(), key.c_str(),
                 cluster ? fmt::format("a private Postgres in {}", (config.data / "postgres").string()).c_str() : "DATABASE_URL",
                 node.shards());
    std::fflush(stdout);
}

/// Until a signal to stop: sees to it that our Postgres runs, and reads the tables anew when it is told to.
void watch(postgres::PrivateCluster* cluster, const std::function<void()>& reload) {
    for (auto signal = signal_within(1s); signal != Signal::stop; signal = signal_within(1s)) {
        if (signal == Signal::reload) reload();
        if (!cluster || cluster->is_running()) continue;
        base::log::error("at=postgres_ended action=restart");
        if (const auto restarted = cluster->restart(); !restarted)
            base::log::error("at=postgres_restart_failed error=\"{}\"", restarted.error().message);
    }
}

}  // namespace

int up(const std::function<Config()>& load) {
    block_signals();
    const auto config = load();
    const DataFolder folder{config.data};
    const auto secrets = folder.secrets();
    const auto cluster = config.database_url.empty() ? start_cluster(config) : nullptr;
    const auto conninfo = cluster ? cluster->server_conninfo() : config.database_url;

    Readiness readiness;
    ConnectorMetrics metrics;
    PubSub pubsub{config, secrets, [&readiness] { return readiness.ready(); }};
    pubsub.site().more_metrics = [&metrics](base::MetricsText& out) { metrics.write(out); };
    ChatReaders readers{pubsub.app_id(), config.tables};
    Node node{config, pubsub.facts(), pubsub.site(), chat_parts(config, pubsub, readers, conninfo)};
    ConnectorThread connector{node, readiness, metrics};
    feed_channels(node, config, pubsub);
    node.start();
    greet(config, node, cluster.get());
    if (migrate_patiently(conninfo)) {
        connector.start(connector_config(config, pubsub.app_id(), conninfo));
        watch(cluster.get(), [&] {
            try {
                const auto changed = load();
                connector.feed(connector_config(changed, pubsub.app_id(), conninfo).feeds);
                readers.set(changed.tables);
                base::log::info("at=reloaded");
            } catch (const std::exception& error) {
                base::log::error("at=reload_failed error=\"{}\" action=\"goes on as it was\"", error.what());
            }
        });
    }

    base::log::info("at=stopping");
    node.wind_down(config.drain);
    connector.stop();
    node.stop();
    if (cluster) cluster->stop();
    return 0;
}

}  // namespace app
