#include "app/node.hpp"

#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <thread>

#include "app/health_only.hpp"
#include "app/signals.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/resource_limits.hpp"

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
/// A shard's share of some percent of the process's memory.
std::size_t share(const realtime::ServerFacts& facts, std::size_t percent, std::size_t shards) {
    const auto all = facts.memory ? facts.memory->bytes_max() : base::memory_available() / 100 * base::limits::memory_default_percent;
    return all / 100 * percent / shards;
}

broker::MemoryBroker::Limits limits_of(const Config& config, const realtime::ServerFacts& facts, std::size_t shards) {
    return {.retention = config.retention, .bytes_max = share(facts, base::limits::memory_logs_percent, shards)};
}

/// As many file descriptors as the process may have; what is not reserved is for clients' sockets.
std::size_t sockets_max(std::size_t shards) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
    std::error_code error;
    const auto open = static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{"/proc/self/fd", error}, {}));
    const auto free = files.rlim_cur - std::min<std::size_t>(files.rlim_cur, open);
    const auto reserved = base::limits::file_descriptors_reserved + shards * base::limits::database_connections_per_shard;
    return free - std::min(reserved, free / 4);
}

std::size_t shards_of(const Config& config) {
    return config.shards > 0 ? config.shards : std::max(1u, std::thread::hardware_concurrency());
}

net::GateSettings gate_settings(const Config& config) {
    auto settings = config.addresses;
    settings.sockets_max = sockets_max(shards_of(config));
    return settings;
}
}  // namespace

/// All that lives on one shard.
struct Node::Residents {
    Residents(std::size_t index, net::Shard& shard, Mesh& mesh, const Config& config, const realtime::ServerFacts& facts,
              server::Site& site, ShardParts made, server::Routes::Move move)
        : parts(std::move(made)),
          hub(index, mesh, facts, std::make_unique<broker::MemoryBroker>(facts.epoch, limits_of(config, facts, mesh.size())),
              parts.tap.get()),
          routes(shard, hub, site, std::move(parts.extension), move),
          operators(shard, hub, site, {}, std::move(move), server::Door::operators),
          health_only(routes),
          timer(shard.io()) {
        if (parts.archive) hub.home().use(*parts.archive);
    }

    ShardParts parts;
    realtime::Hub hub;
    server::Routes routes, operators;
    HealthOnly health_only;
    std::deque<std::weak_ptr<net::TcpConnection>> in_reserve;  // served by it, the oldest first
    net::asio::steady_timer timer;
};

Node::Node(const Config& config, const realtime::ServerFacts& facts, server::Site& site, MakeParts make_parts)
    : facts_(facts), gate_(gate_settings(config)) {
    site.gate = &gate_;
    const auto count = shards_of(config);
    for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<net::Shard>(fmt::format("shard-{}", i)));
    residents_.resize(count);
    auto port = config.listen_port;
    for (std::size_t i = 0; i < count; ++i) {
        auto& shard = *shards_[i];
        shard.bound_writes(share(facts, base::limits::memory_answers_percent, count), config.unread);
        listeners_.push_back(
            std::make_unique<net::Listener>(shard, config.listen_host, port, i == 0,
                                            [this, i](net::asio::ip::tcp::socket socket) { accept(i, std::move(socket)); }));
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

/// When clients have all the sockets they get, or there is no memory to spare, newcomers are taken into the reserve, a few at a time: the
/// oldest there makes room.
void Node::accept(std::size_t shard, net::asio::ip::tcp::socket socket) {
    auto seat = gate_.enter(net::Address::of_peer(socket.native_handle()), base::now());
    if (!seat) {
        const auto refusal = gate_.refusal(seat.error());
        ::send(socket.native_handle(), refusal.data(), refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    auto& on = *shards_[shard];
    auto& residents = *residents_[shard];
    auto connection = std::make_shared<net::TcpConnection>(on, std::move(socket), base::limits::answers_bytes_max);
    connection->hold(*std::move(seat));
    const bool full = gate_.full() || facts_.sheds(base::Pressure::refuse_connections);
    if (full) {
        auto& reserve = residents.in_reserve;
        reserve.push_back(connection);
        if (reserve.size() > std::max<std::size_t>(base::limits::health_connections_max / shards_.size(), 1)) {
            if (const auto oldest = reserve.front().lock()) oldest->abandon();
            reserve.pop_front();
        }
    }
    auto& handler = full ? static_cast<net::HttpHandler&>(residents.health_only) : residents.routes;
    std::make_shared<net::HttpSession>(on, std::move(connection), handler)->start();
}

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
        if (shard == 0 && facts_.memory) facts_.memory->look();
        if (facts_.sheds(base::Pressure::drop_readers)) shards_[shard]->drop_slow_readers();
        residents_[shard]->hub.tick();
        tick_forever(shard);
    });
}

}  // namespace app
