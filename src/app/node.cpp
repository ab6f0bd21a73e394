#include "app/node.hpp"

#include <thread>

#include "base/limits.hpp"

namespace app {

/// Posts between shards. Shared, immutable once the hubs are in.
class Node::Mesh final : public realtime::Mesh {
public:
    explicit Mesh(const std::vector<std::unique_ptr<net::Shard>>& shards) : shards_(shards), hubs_(shards.size()) {}

    std::size_t size() const override { return hubs_.size(); }
    void post(std::size_t shard, realtime::HubTask task) override {
        shards_[shard]->post([hub = hubs_[shard], task = std::move(task)]() mutable { task(*hub); });
    }
    void set(std::size_t shard, realtime::Hub* hub) { hubs_[shard] = hub; }

private:
    const std::vector<std::unique_ptr<net::Shard>>& shards_;
    std::vector<realtime::Hub*> hubs_;
};

namespace {
broker::MemoryBroker::Limits limits_of(const Config& config) { return {.retention = config.retention}; }
}  // namespace

/// All that lives on one shard.
struct Node::Residents {
    Residents(std::size_t index, net::Shard& shard, Mesh& mesh, const Config& config, const realtime::ServerFacts& facts,
              server::Site& site, ShardParts made, server::Routes::Move move)
        : parts(std::move(made)),
          hub(index, mesh, facts, std::make_unique<broker::MemoryBroker>(facts.epoch, limits_of(config)), parts.tap.get()),
          routes(shard, hub, site, std::move(parts.extension), std::move(move)), timer(shard.io()) {
        if (parts.archive) hub.home().use(*parts.archive);
    }

    ShardParts parts;
    realtime::Hub hub;
    server::Routes routes;
    net::asio::steady_timer timer;
};

Node::Node(const Config& config, const realtime::ServerFacts& facts, server::Site& site, MakeParts make_parts) {
    const auto count = config.shards > 0 ? config.shards : std::max(1u, std::thread::hardware_concurrency());
    for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<net::Shard>(fmt::format("shard-{}", i)));
    residents_.resize(count);
    auto port = config.listen_port;
    for (std::size_t i = 0; i < count; ++i) {
        auto& shard = *shards_[i];
        listeners_.push_back(
            std::make_unique<net::Listener>(shard, config.listen_host, port, i == 0, [this, i](net::asio::ip::tcp::socket socket) {
                auto& on = *shards_[i];
                auto connection = std::make_shared<net::TcpConnection>(on, std::move(socket), base::limits::outbound_bytes_max);
                std::make_shared<net::HttpSession>(on, std::move(connection), residents_[i]->routes)->start();
            }));
        port = listeners_.back()->port();
    }
    mesh_ = std::make_unique<Mesh>(shards_);
    for (std::size_t i = 0; i < count; ++i) {
        shards_[i]->start();
        shards_[i]->call([&] {
            const auto elsewhere = [this](std::size_t to, net::MovingSession session) { move(to, std::move(session)); };
            residents_[i] = std::make_unique<Residents>(i, *shards_[i], *mesh_, config, facts, site, make_parts(*shards_[i]), elsewhere);
            mesh_->set(i, &residents_[i]->hub);
        });
    }
    for (std::size_t i = 0; i < count; ++i) {
        shards_[i]->post([this, i] { tick_forever(i); });
    }
}

Node::~Node() { stop(); }

void Node::start() {
    for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->call([this, i] { listeners_[i]->start(); });
}

void Node::stop() {
    if (std::exchange(stopped_, true)) return;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        shards_[i]->call([this, i] {
            listeners_[i]->stop();
            residents_[i]->hub.shut_down();
        });
    }
    // What shut_down queued is flushed before these run.
    for (auto& shard : shards_) shard->call([&shard] { shard->abandon_all(); });
    // Nothing crosses between shards once they stand still; then all that lived on them goes, on this thread.
    for (auto& shard : shards_) shard->stop_and_join();
    residents_.clear();
    listeners_.clear();
}

void Node::move(std::size_t to, net::MovingSession session) {
    shards_[to]->post([this, to, session = std::move(session)]() mutable {
        net::HttpSession::arrive(*shards_[to], std::move(session), residents_[to]->routes);
    });
}

void Node::post(std::size_t shard, realtime::HubTask task) { mesh_->post(shard, std::move(task)); }

void Node::post_home(const std::string& address, realtime::HubTask task) {
    mesh_->post(realtime::home_of(address, shards_.size()), std::move(task));
}

void Node::tick_forever(std::size_t shard) {
    auto& timer = residents_[shard]->timer;
    timer.expires_after(std::chrono::milliseconds{1'000 / realtime::Hub::ticks_per_second});
    timer.async_wait([this, shard](const boost::system::error_code& error) {
        if (error) return;
        residents_[shard]->hub.tick();
        tick_forever(shard);
    });
}

}  // namespace app
