#include "app/serve.hpp"

#include <algorithm>
#include <stdexcept>

#include "app/node.hpp"
#include "app/pubsub.hpp"
#include "app/schema.hpp"
#include "app/signals.hpp"
#include "archive/postgres_archive.hpp"
#include "base/log.hpp"

namespace app {
namespace {

/// Only persisted channels need a database here.
Node::ShardParts archive_parts(net::Shard& shard, const std::string& conninfo) {
    if (conninfo.empty()) return {};
    auto pool = std::make_shared<postgres::Pool>(shard.io(), conninfo);
    auto archive = std::make_unique<archive::PostgresArchive>(shard.io(), *pool);
    return {.database = std::move(pool), .tap = nullptr, .archive = std::move(archive), .extension = {}};
}

}  // namespace

int serve(const Config& config) {
    block_signals();
    const bool persists = std::ranges::any_of(config.namespaces, &auth::Namespace::persisted);
    if (persists && config.database_url.empty()) {
        throw std::runtime_error("a persisted namespace needs a database: set [database] url, or DATABASE_URL");
    }
    const DataFolder folder{config.data};
    const auto secrets = folder.secrets();
    const auto database = persists ? config.database_url : std::string{};
    if (persists && !migrate_patiently(database)) return 0;
    PubSub pubsub{config, secrets, [] { return true; }};
    Node node{config, pubsub.facts(), pubsub.site(), [&](net::Shard& shard) { return archive_parts(shard, database); }};
    node.start();
    base::log::info("at=serving url=http://{}:{} shards={}", config.listen_host, node.port(), node.shards());
    wait_for_stop_signal();
    base::log::info("at=stopping");
    node.wind_down(config.drain);
    node.stop();
    return 0;
}

}  // namespace app
