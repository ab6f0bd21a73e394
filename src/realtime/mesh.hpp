#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace realtime {

class Hub;
using HubTask = std::move_only_function<void(Hub&)>;

/// The way between shards: FIFO from each shard to each other. net::Shard::post in the product; a queue in tests.
class Mesh {
public:
    virtual ~Mesh() = default;
    virtual std::size_t size() const = 0;
    virtual void post(std::size_t shard, HubTask task) = 0;
    /// … in a while: for what would otherwise wait for the hub's next tick, which without timers it does.
    virtual void post_after(std::size_t shard, std::chrono::milliseconds delay, HubTask task);
};

/// Of a channel's address: whose it is.
inline std::string_view app_of(std::string_view address) { return address.substr(0, address.find('/')); }

/// The shard, of so many, on which a channel lives.
inline std::size_t home_of(const std::string& address, std::size_t shards) { return std::hash<std::string>{}(address) % shards; }

}  // namespace realtime
