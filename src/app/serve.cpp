#include "app/serve.hpp"

#include "app/node.hpp"
#include "app/pubsub.hpp"
#include "app/signals.hpp"
#include "base/log.hpp"

namespace app {

int serve(const Config& config) {
    block_stop_signals();
    PubSub pubsub{config, keep_secrets(config.data), [] { return true; }};
    Node node{config, pubsub.facts(), pubsub.site(), [](net::Shard&) { return Node::ShardParts{}; }};
    node.start();
    base::log::info("at=serving url=http://{}:{} shards={}", config.listen_host, node.port(), node.shards());
    wait_for_stop_signal();
    base::log::info("at=stopping");
    node.stop();
    return 0;
}

}  // namespace app
