// Reads a replication slot in one of three ways, and says what it took, as a line of JSON.
//   bare     libpq's own loop, as pg_recvlogical has it: the messages are dropped, or only looked at for their time
//   drop     ReplicationStream and the decoder
//   deliver  the connector, the in-process broker, and one subscriber
// Usage: connector_consumer bare|drop|deliver CONNINFO SLOT PUBLICATION ROWS [times]
// Ends after so many rows. The rows' column `sent`, in microseconds, says when they were inserted.

#include <libpq-fe.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "app/hub_sink.hpp"
#include "auth/apps.hpp"
#include "base/log.hpp"
#include "broker/memory_broker.hpp"
#include "connector/connector.hpp"
#include "net/shard.hpp"
#include "postgres/migrate.hpp"
#include "postgres/replication.hpp"
#include "realtime/hub.hpp"

namespace {

using Clock = std::chrono::system_clock;

struct Arguments {
    std::string conninfo, slot, publication;
    std::size_t rows = 0;
    bool times = false;
};

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "connector_consumer: %s\n", why.c_str());
    std::exit(1);
}

/// What has come, and when it was sent.
class Tally {
public:
    explicit Tally(const Arguments& arguments) : wanted_(arguments.rows), times_(arguments.times) {}

    /// False once there are enough.
    bool row(std::string_view sent) {
        if (times_) {
            std::int64_t sent_us = 0;
            std::from_chars(sent.data(), sent.data() + sent.size(), sent_us);
            waits_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count() - sent_us);
        }
        return ++rows_ < wanted_;
    }
    bool wants_times() const { return times_; }
    void report() {
        rusage used{};
        ::getrusage(RUSAGE_SELF, &used);
        const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
        std::printf(R"({"rows":%zu,"cpu_s":%.3f,"peak_kb":%ld)", rows_, seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss);
        if (!waits_.empty()) {
            std::ranges::sort(waits_);
            const auto at = [&](std::size_t percent) { return static_cast<long>(waits_[(waits_.size() - 1) * percent / 100]); };
            std::printf(R"(,"p50_us":%ld,"p90_us":%ld,"p99_us":%ld,"max_us":%ld)", at(50), at(90), at(99), at(100));
        }
        std::puts("}");
        std::fflush(stdout);
    }

private:
    std::size_t wanted_, rows_ = 0;
    bool times_;
    std::vector<std::int64_t> waits_;
};

// ---- bare

/// That we are here; of what is confirmed, nothing.
void say_alive(PGconn* connection) {
    const std::string status = "r" + std::string(33, '\0');
    if (PQputCopyData(connection, status.data(), static_cast<int>(status.size())) <= 0 || PQflush(connection) < 0)
        give_up(PQerrorMessage(connection));
}

void bare(const Arguments& arguments, Tally& tally) {
    PGconn* const connection = PQconnectdb((arguments.conninfo + " replication=database").c_str());
    if (PQstatus(connection) != CONNECTION_OK) give_up(PQerrorMessage(connection));
    const std::string command = "START_REPLICATION SLOT " + arguments.slot + " LOGICAL 0/0 (proto_version '2', streaming 'on', "
                                "publication_names '" + arguments.publication + "')";
    PGresult* const started = PQexec(connection, command.c_str());
    if (PQresultStatus(started) != PGRES_COPY_BOTH) give_up(PQerrorMessage(connection));
    auto status_due = Clock::now();
    for (bool more = true; more;) {
        char* copied = nullptr;
        const int size = PQgetCopyData(connection, &copied, 1);
        if (size > 26 && copied[0] == 'w' && copied[25] == 'I') {
            std::string_view sent;
            if (tally.wants_times()) {
                const auto row = postgres::pgoutput::decode({copied + 25, static_cast<std::size_t>(size) - 25});
                sent = std::get<postgres::pgoutput::Insert>(*row).row.at(1).value;
            }
            more = tally.row(sent);
        }
        if (copied) PQfreemem(copied);
        if (size < 0) give_up(PQerrorMessage(connection));
        if (size > 0) continue;
        if (const auto now = Clock::now(); now >= status_due) {
            say_alive(connection);
            status_due = now + std::chrono::seconds{5};
        }
        pollfd ready{.fd = PQsocket(connection), .events = POLLIN, .revents = 0};
        ::poll(&ready, 1, 1'000);
        if (!PQconsumeInput(connection)) give_up(PQerrorMessage(connection));
    }
    PQfinish(connection);
}

// ---- drop

void drop(const Arguments& arguments, Tally& tally) {
    boost::asio::io_context io{1};
    postgres::pgoutput::Decoder decoder;
    std::optional<postgres::ReplicationStream> stream;
    stream.emplace(io, postgres::ReplicationStream::Events{
                           .on_message = [&](std::string_view bytes) -> postgres::Result<void> {
                               const auto message = decoder.decode(bytes);
                               if (!message) return std::unexpected(message.error());
                               const auto* row = std::get_if<postgres::pgoutput::Insert>(*message);
                               if (row && !tally.row(row->row.at(1).value)) io.stop();
                               return {};
                           },
                           .on_keepalive = [](postgres::Lsn) {}});
    postgres::spawn(io, [](postgres::ReplicationStream* source, Arguments from) -> boost::asio::awaitable<void> {
        auto connected = co_await source->connect(from.conninfo);
        if (!connected) give_up(connected.error().message);
        auto started = co_await source->start(from.slot, from.publication, {});
        if (!started) give_up(started.error().message);
        const auto why = co_await source->run();
        give_up(why.message);
    }(&*stream, arguments));
    io.run();
    stream.reset();
}

// ---- deliver

class OneHub final : public realtime::Mesh {
public:
    explicit OneHub(net::Shard& shard) : shard_(shard) {}
    std::size_t size() const override { return 1; }
    void post(std::size_t, realtime::HubTask task) override {
        shard_.post([this, task = std::move(task)]() mutable { task(*hub); });
    }
    realtime::Hub* hub = nullptr;

private:
    net::Shard& shard_;
};

/// A subscriber's end: what is sent to it has arrived.
class Subscriber final : public realtime::Transport {
public:
    Subscriber(Tally& tally, std::atomic<bool>& done) : tally_(tally), done_(done) {}
    void send(const protocol::FramePtr& frame) override {
        constexpr std::string_view before_row = R"(w\":{)";  // of "row": begins with what is rare, which is found faster
        constexpr std::string_view before_time = R"(\"sent\":)";
        const auto payload = frame->payload();
        for (auto at = payload.find(before_row); at != payload.npos && !done_; at = payload.find(before_row, at + 1)) {
            const auto time = tally_.wants_times() ? payload.find(before_time, at) + before_time.size() : payload.size();
            if (tally_.row(payload.substr(time))) continue;
            done_ = true;
            done_.notify_all();
        }
    }
    void ping() override {}
    bool was_idle() override { return false; }
    bool was_heard() override { return true; }
    void set_reading(bool) override {}
    void finish() override {}

private:
    Tally& tally_;
    std::atomic<bool>& done_;
};

void deliver(const Arguments& arguments, Tally& tally) {
    if (auto migrated = postgres::migrate(arguments.conninfo); !migrated) give_up(migrated.error().message);
    auth::Apps apps;
    auth::App app{.id = "app"};
    if (!app.add(auth::parse_key("app.key:secret").value()) || !apps.add(std::move(app))) give_up("no app");
    const realtime::ServerFacts facts{.apps = apps, .server_id = "bench", .connection_secret = "secret", .epoch = 1};
    std::atomic<bool> done = false;
    const auto subscriber = std::make_shared<Subscriber>(tally, done);

    net::Shard server{"server"}, reader{"connector"};
    OneHub mesh{server};
    std::unique_ptr<realtime::Hub> hub;
    server.start();
    reader.start();
    server.call([&] {
        hub = std::make_unique<realtime::Hub>(0, mesh, facts, std::make_unique<broker::MemoryBroker>(facts.epoch), nullptr);
        mesh.hub = hub.get();
        realtime::Hub::ConnectRequest request{.identity = {.app = apps.find("app"), .key_name = "app.key",
                                                           .capability = auth::Capability::parse(R"({"*":["*"]})").value()},
                                              .options = {},
                                              .resume_key = {}};
        hub->connect(std::move(request), subscriber, [&](base::Result<realtime::Connection*> connection) {
            if (!connection) give_up(connection.error().message);
            hub->receive(**connection, {.action = protocol::Action::attach, .channel = "rows"});
        });
    });
    connector::Config config{.conninfo = arguments.conninfo, .app_id = "app", .slot = arguments.slot,
                             .publication = arguments.publication, .feeds = {{.table = "bench", .channel = "rows"}}};
    app::HubSink sink{reader, mesh};
    connector::Events events{
        .sink = [&](const std::string& address, broker::Draft draft,
                    app::HubSink::Done taken) { sink.publish(address, std::move(draft), std::move(taken)); },
        .on_start = [](const std::string&, broker::WalPlace) {},
        .on_caught_up = [] {},
        .on_state = [](connector::State state, const std::string& reason) {
            if (state == connector::State::down) give_up(reason);
        }};
    std::unique_ptr<connector::Connector> connector;
    reader.call([&] { connector = std::make_unique<connector::Connector>(reader.io(), std::move(config), std::move(events)); });
    done.wait(false);
    reader.call([&] { connector.reset(); });
    tally.report();
    std::_Exit(0);  // what is on its way between the shards is of no interest any more
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) give_up("usage: connector_consumer bare|drop|deliver CONNINFO SLOT PUBLICATION ROWS [times]");
    const Arguments arguments{.conninfo = argv[2], .slot = argv[3], .publication = argv[4],
                              .rows = std::strtoull(argv[5], nullptr, 10), .times = argc > 6};
    const std::string_view mode = argv[1];
    Tally tally{arguments};
    if (mode == "bare") bare(arguments, tally);
    else if (mode == "drop") drop(arguments, tally);
    else if (mode == "deliver") deliver(arguments, tally);
    else give_up("no such mode");
    tally.report();
}
