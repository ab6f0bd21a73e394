#include "app/node.hpp"

#include <thread>

#include "app/signals.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"

namespace app {

/// Posts between shards. Shared, immutable once the hubs are in.
class Node::Mesh final : public realtime::Mesh {
public:
    explicit Mesh(const std::vector<std::unique_ptr<net::Shard>>& shards) : shards_(shards), hubs_(shards.size()) {}

    std::size_t size() const override { return hubs_.size(); }
    void post(std::size_t shard, realtime::HubTask task) override {
        shards_[shard]->post([hub = hubs_[shard], task = std::move(task)]() mutable { task(*hub); });
    }
    void post_after(std::size_t shard, std::chrono::milliseconds delay, realtime::HubTask task) override {
        auto timer = std::make_shared<net::asio::steady_timer>(shards_[shard]->io(), delay);
        timer->async_wait([timer, hub = hubs_[shard], task = std::move(task)](const boost::system::error_code& error) mutable {
            if (!error) task(*hub);
        });
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
          routes(shard, hub, site, std::move(parts.extension), move),
          operators(shard, hub, site, {}, std::move(move), server::Door::operators), timer(shard.io()) {
        if (parts.archive) hub.home().use(*parts.archive);
    }

    ShardParts parts;
    realtime::Hub hub;
    server::Routes routes, operators;
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
                auto connection = std::make_shared<net::TcpConnection>(on, std::move(socket), base::limits::answers_bytes_max);
                std::make_shared<net::HttpSession>(on, std::move(connection), residents_[i]->routes)->start();
            }));
        port = listeners_.back()->port();
    }
    if (!config.metrics_host.empty()) {
        auto& shard = *shards_.front();
        operators_listener_ = std::make_unique<net::Listener>(
            shard, config.metrics_host, config.metrics_port, true, [this, &shard](net::asio::ip::tcp::socket socket) {
                auto connection = std::make_shared<net::TcpConnection>(shard, std::move(socket), base::limits::answers_bytes_max);
                std::make_shared<net::HttpSession>(shard, std::move(connection), residents_.front()->operators)->start();
            });
        base::log::info("at=serving_metrics url=http://{}:{}/metrics", config.metrics_host, operators_listener_->port());
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
    on_each_shard([this](std::size_t i) { listeners_[i]->start(); });
    if (operators_listener_) shards_.front()->call([this] { operators_listener_->start(); });
}

void Node::wind_down(std::chrono::seconds patience) {
    const auto now = std::chrono::steady_clock::now(), end = now + patience;
    on_each_shard([this](std::size_t i) {
        listeners_[i]->stop();
        residents_[i]->hub.wind_down();
    });
    // A client that is told to go does not hear an ACK that comes behind, and would send again what was published. Half of the time is
    // for the slowest publish, so that the other half is left for what was written to everybody.
    const auto half = now + std::chrono::milliseconds{patience} / 2;
    if (!wait_for([this](std::size_t i) { return !residents_[i]->hub.owes_acknowledgements(); }, half)) return;
    on_each_shard([this](std::size_t i) { residents_[i]->hub.shut_down(); });
    if (!wait_for([this](std::size_t i) { return residents_[i]->routes.idle(); }, end)) return;
    on_each_shard([this](std::size_t i) { shards_[i]->wind_down_all(); });
    wait_for([this](std::size_t i) { return !shards_[i]->has_residents(); }, end);
}

/// … to be so on every shard, or for the deadline; false when a second signal came instead.
bool Node::wait_for(const std::function<bool(std::size_t)>& condition, Deadline deadline) {
    for (;;) {
        bool everywhere = true;
        on_each_shard([&](std::size_t i) { everywhere = everywhere && condition(i); });
        if (everywhere || std::chrono::steady_clock::now() >= deadline) return true;
        if (stop_signal_within(std::chrono::milliseconds{20})) return false;
    }
}

void Node::on_each_shard(const std::function<void(std::size_t)>& task) {
    for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->call([&] { task(i); });
}

void Node::stop() {
    if (std::exchange(stopped_, true)) return;
    if (operators_listener_) shards_.front()->call([this] { operators_listener_->stop(); });
    on_each_shard([this](std::size_t i) {
        listeners_[i]->stop();
        residents_[i]->hub.shut_down();
    });
    // What shut_down queued is flushed before these run.
    on_each_shard([this](std::size_t i) { shards_[i]->abandon_all(); });
    // Nothing crosses between shards once they stand still; then all that lived on them goes, on this thread.
    for (auto& shard : shards_) shard->stop_and_join();
    residents_.clear();
    listeners_.clear();
    operators_listener_.reset();
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

realtime::Mesh& Node::mesh() { return *mesh_; }

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
