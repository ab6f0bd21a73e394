#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "app/config.hpp"
#include "broker/memory_broker.hpp"
#include "net/gate.hpp"
#include "net/listener.hpp"
#include "net/shard.hpp"
#include "server/routes.hpp"

namespace app {

/// The pub/sub server: a shard per core, each with its hub, its routes and its share of the listening address. Made, started
/// and stopped on the main thread.
class Node {
public:
    /// What else lives on a shard, made there before its hub and destroyed after it, the last first.
    struct ShardParts {
        std::shared_ptr<void> database;
        std::unique_ptr<realtime::Tap> tap;
        std::unique_ptr<broker::Archive> archive;
        server::Extension extension;
    };
    using MakeParts = std::function<ShardParts(net::Shard&)>;

    /// Throws std::runtime_error when the address cannot be listened on.
    Node(const Config& config, const realtime::ServerFacts& facts, server::Site& site, MakeParts make_parts);
    ~Node();

    /// Takes connections from here on.
    void start();
    /// Takes no more, acknowledges what it has taken, tells every client to go elsewhere, and writes all that out: within `patience`,
    /// or until there is a second signal to stop.
    void wind_down(std::chrono::seconds patience);
    /// Ends, whatever is under way.
    void stop();

    std::uint16_t port() const { return listeners_.front()->port(); }
    std::size_t shards() const { return shards_.size(); }

    /// Runs a task on a shard with its hub. Any thread.
    void post(std::size_t shard, realtime::HubTask task);
    /// … on the home shard of a channel.
    void post_home(const std::string& address, realtime::HubTask task);
    realtime::Mesh& mesh();

private:
    class Mesh;
    struct Residents;

    using Deadline = std::chrono::steady_clock::time_point;

    void accept(std::size_t shard, net::asio::ip::tcp::socket socket);
    void on_each_shard(const std::function<void(std::size_t)>& task);
    bool wait_for(const std::function<bool(std::size_t)>& condition, Deadline deadline);
    void tick_forever(std::size_t shard);
    void move(std::size_t to, net::MovingSession session);

    const realtime::ServerFacts& facts_;
    net::Gate gate_;  // outlives all that is counted there
    std::vector<std::unique_ptr<net::Shard>> shards_;
    std::unique_ptr<Mesh> mesh_;
    std::vector<std::unique_ptr<Residents>> residents_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::unique_ptr<net::Listener> operators_listener_;  // of the first shard; if /metrics has a port of its own
    bool stopped_ = false;
};

}  // namespace app
