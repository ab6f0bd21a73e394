#pragma once

#include "app/config.hpp"
#include "app/secrets.hpp"
#include "base/memory.hpp"
#include "realtime/connection.hpp"
#include "server/routes.hpp"

namespace app {

/// What the pub/sub server is made from, by the configuration and the data folder's secrets. Holds what all shards refer to.
class PubSub {
public:
    /// Throws std::runtime_error for keys and capabilities that cannot be used. `ready`: for /readyz; any thread.
    PubSub(const Config& config, const Secrets& secrets, std::function<bool()> ready);
    PubSub(const PubSub&) = delete;
    PubSub& operator=(const PubSub&) = delete;

    const realtime::ServerFacts& facts() const { return facts_; }
    server::Site& site() { return site_; }
    /// The app that database-fed channels and rules belong to: the first key's.
    const std::string& app_id() const { return app_id_; }
    std::string address(const std::string& channel) const { return app_id_ + "/" + channel; }

private:
    auth::Apps apps_;
    std::string app_id_;
    base::MemoryWatch memory_;
    realtime::ServerFacts facts_;
    server::Site site_;
};

}  // namespace app
