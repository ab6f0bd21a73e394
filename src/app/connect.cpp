#include "app/connect.hpp"

#include <mutex>
#include <stdexcept>

#include "app/connector_config.hpp"
#include "app/connector_metrics.hpp"
#include "app/operations.hpp"
#include "app/schema.hpp"
#include "app/signals.hpp"
#include "auth/app.hpp"
#include "base/log.hpp"
#include "rest/rest_sink.hpp"

namespace app {
namespace {

rest::Endpoint endpoint_of(const EndpointConfig& config) {
    return {.host = config.host, .port = config.port, .tls = config.tls, .key = config.key};
}

void check(const Config& config) {
    if (config.database_url.empty())
        throw std::runtime_error(
            "no database: give --database-url, DATABASE_URL, [database] url, or the original connector's dbConfig");
    if (config.endpoint.key.empty())
        throw std::runtime_error("no API key: give ABLY_API_KEY, ABLY_API_KEY_FILE, [endpoint] key_file, or --key");
    if (const auto key = auth::parse_key(config.endpoint.key); !key)
        throw std::runtime_error("the API key is not appId.keyId:secret");
    if (config.tables.empty()) throw std::runtime_error("no tables: there is nothing to publish");
    // Over REST a message's serial is the endpoint's to give, so that a row could not be found again (docs/decisions/0009).
    for (const auto& table : config.tables) {
        if (table.payload == "message") {
            throw std::runtime_error("payload = \"message\" of table " + table.table +
                                     " needs the server in the same process: palimpsest up");
        }
    }
}

/// What keeps it from working, for /readyz. Written on the connector's shard, read by all; the lock is its own.
class Ailments {
public:
    void stream(std::string why) { set(stream_, std::move(why)); }
    void endpoint(std::string why) { set(endpoint_, std::move(why)); }
    std::string told() const {
        const std::scoped_lock lock{mutex_};
        return stream_.empty() ? endpoint_ : stream_;
    }

private:
    void set(std::string& which, std::string why) {
        const std::scoped_lock lock{mutex_};
        which = std::move(why);
    }
    mutable std::mutex mutex_;
    std::string stream_ = "not connected yet", endpoint_;
};

/// Everything that is done on the connector's shard. Made, replaced and destroyed there.
class Pipeline {
public:
    Pipeline(net::Shard& shard, const Config& config, ConnectorMetrics& metrics, rest::Metrics& rest_metrics, Ailments& ailments)
        : sink_(shard.io(), endpoint_of(config.endpoint), {.message_bytes_max = config.endpoint.message_bytes}, rest_metrics,
                {.on_trouble =
                     [&](const std::optional<rest::Refusal>& trouble) {
                         metrics.publishing = !trouble;
                         ailments.endpoint(trouble ? "the endpoint does not take what is published: " + trouble->message : "");
                     }}),
          connector_(shard.io(), settings(config), counted(events(ailments), metrics)) {
        metrics.publishing = true;
        ailments.endpoint("");
    }

    /// Goes on with what the configuration says now; false when more than the tables is new.
    bool go_on_with(const Config& before, const Config& now) {
        auto old = settings(before);
        const auto wanted = settings(now);
        old.feeds = wanted.feeds;
        if (old != wanted || before.endpoint != now.endpoint) return false;
        connector_.reconfigure(wanted.feeds);
        return true;
    }

private:
    static connector::Config settings(const Config& config) {
        const auto& key = config.endpoint.key;
        auto made = connector_config(config, key.substr(0, key.find('.')), config.database_url);
        made.confirm_after = std::chrono::milliseconds{0};  // what the endpoint acknowledged, it keeps
        return made;
    }

    connector::Events events(Ailments& ailments) {
        return {
            .sink =
                [this](const std::string& address, broker::Draft draft, std::move_only_function<void(base::Result<void>)> done) {
                    sink_.publish(address.substr(address.find('/') + 1), std::move(draft), std::move(done));
                },
            .on_commit = [this] { sink_.commit(); },
            .on_restart = [this] { sink_.restart(); },
            .on_start = [](const std::string&, broker::WalPlace) {},
            .on_caught_up = [] { base::log::info("at=caught_up"); },
            .on_state =
                [&ailments](connector::State state, const std::string& reason) {
                    ailments.stream(state == connector::State::streaming ? "" : "the database's changes are not read: " + reason);
                }};
    }

    rest::RestSink sink_;
    connector::Connector connector_;
};

std::string metrics_text(const ConnectorMetrics& metrics, const rest::Metrics& rest_metrics) {
    base::MetricsText out;
    metrics.write(out);
    out.counter("palimpsest_publish_requests_total", "Requests to the endpoint.", rest_metrics.requests.value());
    out.counter("palimpsest_publish_failures_total", "Those of which not all was taken, and which are made again.",
                rest_metrics.failures.value());
    out.durations("palimpsest_publish_seconds", "From a request to its answer.", rest_metrics.answers);
    return out.text();
}

}  // namespace

int connect(const std::function<Config()>& load, bool operations) {
    block_signals();
    auto config = load();
    check(config);

    ConnectorMetrics metrics;
    rest::Metrics rest_metrics;
    Ailments ailments;
    std::unique_ptr<Operations> operator_pages;
    if (operations) {
        operator_pages =
            std::make_unique<Operations>(config.listen_host, config.listen_port,
                                         Operations::Answers{.not_ready = [&] { return ailments.told(); },
                                                             .metrics = [&] { return metrics_text(metrics, rest_metrics); }});
        base::log::info("at=operations url=http://{}:{}", config.listen_host, operator_pages->port());
    }
    if (!migrate_patiently(config.database_url, postgres::Schema::connector)) return 0;

    net::Shard shard{"connector"};
    std::unique_ptr<Pipeline> pipeline;
    shard.start();
    const auto run = [&] {
        base::log::info("at=connecting endpoint={} tables={}", endpoint_of(config.endpoint).url(""), config.tables.size());
        shard.call([&] { pipeline = std::make_unique<Pipeline>(shard, config, metrics, rest_metrics, ailments); });
    };
    run();
    while (wait_for_signal() == Signal::reload) {
        bool goes_on = false;
        try {
            auto changed = load();
            check(changed);
            shard.call([&] { goes_on = pipeline->go_on_with(config, changed); });
            config = std::move(changed);
        } catch (const std::exception& error) {
            base::log::error("at=reload_failed error=\"{}\" action=\"goes on as it was\"", error.what());
            continue;
        }
        base::log::info("at=reloaded tables={}", config.tables.size());
        if (goes_on) continue;
        shard.call([&] { pipeline.reset(); });  // the slot has the position
        run();
    }
    base::log::info("at=stopping");
    shard.call([&] { pipeline.reset(); });
    shard.stop_and_join();
    return 0;
}

}  // namespace app
