#include "app/bench.hpp"

#include <cstdio>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/load.hpp"
#include "bench/search.hpp"

namespace app {
namespace {

struct Options {
    bench::Workload work;
    std::string server = "127.0.0.1:8080", key_file;
    bool json = false, search = false;
    bench::SearchBounds bounds;
    double p99_ms_max = 200;

    void add_to(CLI::App& command);
    void complete();
};

void Options::add_to(CLI::App& command) {
    command.add_option("--server", server, "HOST:PORT of the server")->capture_default_str();
    command.add_option("--key", work.key, "its API key, appId.keyId:secret");
    command.add_option("--key-file", key_file, "a file that has the key, as data/api-key does");
    command.add_option("--dialect", work.dialect, "ably-json or ably-msgpack; of others nats, nats-ok, nchan, socketio, ws")
        ->capture_default_str();
    command.add_option("--channels", work.channels, "channels")->capture_default_str()->check(CLI::Range(1, 65'535));
    command.add_option("--subscribers", work.subscribers, "clients that each follow one of them")->capture_default_str();
    command.add_option("--publishers", work.publishers, "clients that publish")->capture_default_str();
    command.add_option("--active", work.active, "the share of the channels that are published on")->capture_default_str();
    command.add_option("--rate", work.rate, "messages a second, on all channels together; with --search, where to begin");
    command.add_option("--in-flight", work.in_flight, "no schedule: each publisher keeps so many unacknowledged");
    command.add_flag("--rest", work.rest, "publishers publish over REST, one message at a time each");
    command.add_option("--slow", work.slow, "more subscribers, who read --slow-rate until all has been published; then they catch up");
    command.add_option("--slow-rate", work.slow_rate, "bytes a second that they read");
    command.add_option("--psql", work.database.conninfo, "nobody publishes: rows are committed to this Postgres, through one psql");
    command.add_option("--sql", work.database.sql, "the statement for a row; {} is where the payload goes");
    command.add_option("--channel", work.database.channel, "on which the rows' changes come");
    command.add_option("--tap", work.database.tap, "a publication to read ourselves, to know what the WAL alone takes");
    command.add_option("--payload", work.payload_bytes, "bytes of a message's data")
        ->capture_default_str()
        ->check(CLI::Range(33, 60'000));
    command.add_option("--warmup", work.warmup_s, "seconds before those that count")->capture_default_str();
    command.add_option("--seconds", work.seconds, "seconds that count")->capture_default_str();
    command.add_option("--drain", work.drain_s, "seconds to wait for the last deliveries")->capture_default_str();
    command.add_option("--pid", work.pids, "the server's processes, to measure their CPU and memory")->delimiter(',');
    command.add_flag("--search", search, "find the highest rate without loss whose p99 is below --p99-max");
    command.add_option("--p99-max", p99_ms_max, "ms")->capture_default_str();
    command.add_option("--precision", bounds.precision, "of the rate found")->capture_default_str();
    command.add_option("--growth", bounds.growth, "of the rate, until one fails")->capture_default_str();
    command.add_option("--tries", bounds.tries, "of each rate, before it has failed")->capture_default_str();
    command.add_flag("--json", json, "print JSON");
}

void Options::complete() {
    const auto colon = server.rfind(':');
    if (colon == server.npos) throw std::runtime_error("--server is HOST:PORT");
    work.server = {.host = server.substr(0, colon), .port = static_cast<std::uint16_t>(std::stoul(server.substr(colon + 1)))};
    if (!key_file.empty()) {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(key_file.c_str(), "r"), std::fclose};
        char line[512];
        if (!file || !std::fgets(line, sizeof line, file.get())) throw std::runtime_error(key_file + ": cannot be read");
        work.key = line;
        work.key.erase(work.key.find_last_not_of(" \r\n") + 1);
    }
    if (work.rest) work.in_flight = 1;
    if (!work.database.conninfo.empty()) work.publishers = 0, work.channels = 1;
    bounds.first = work.rate > 0 ? work.rate : bounds.first;
}

/// One client is one file; the kernel may allow more than the shell asked for.
void allow_many_files() {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/// A server that was given too much is let finish before it is given more.
void await_quiet(const std::vector<int>& pids) {
    constexpr timespec pause{0, 100'000'000};
    constexpr int pauses_max = 100;
    constexpr std::int64_t busy_ns = 20'000'000;
    for (int i = 0; i < pauses_max; ++i) {
        const auto before = bench::usage_of(pids).cpu_ns;
        nanosleep(&pause, nullptr);
        if (bench::usage_of(pids).cpu_ns - before < busy_ns) return;
    }
}

bench::Outcome search(Options& options) {
    bench::Outcome best;
    bool failed_by_us = false;  // at the lowest rate that failed
    const auto highest = bench::highest_passing(options.bounds, [&](double rate) {
        await_quiet(options.work.pids);
        options.work.rate = rate;
        auto outcome = bench::run(options.work);
        const bool passed = outcome.passes(options.p99_ms_max);
        std::fprintf(
            stderr, "%10.0f messages/s, %10.0f deliveries/s, p99 %8.2f ms, %llu missing, server %3.0f %%, generator %3.0f %%: %s\n",
            rate, outcome.deliveries_per_second(), static_cast<double>(outcome.latency.quantile(0.99)) / 1e6,
            static_cast<unsigned long long>(outcome.missing), outcome.server_share() * 100, outcome.generator_share * 100,
            passed ? "passes" : "fails");
        if (!passed)
            failed_by_us = outcome.generator_bound;
        else if (outcome.deliveries_per_second() >= best.deliveries_per_second())
            best = std::move(outcome);
        return passed;
    });
    if (highest == 0) throw std::runtime_error("no rate passes");
    best.generator_bound = failed_by_us;
    return best;
}

int measure(Options& options) {
    options.complete();
    allow_many_files();
    const auto outcome = options.search ? search(options) : bench::run(options.work);
    const auto text = options.json ? bench::to_json(outcome) + "\n" : bench::to_table(outcome);
    std::fputs(text.c_str(), stdout);
    return outcome.lossless() ? 0 : 1;
}

}  // namespace

void add_bench(CLI::App& cli, int& exit_code) {
    const auto options = std::make_shared<Options>();
    auto& command =
        *cli.add_subcommand("bench", "Loads a server with clients and measures it: rates, latencies, losses, CPU and memory");
    options->add_to(command);
    command.callback([options, &exit_code] { exit_code = measure(*options); });
}

}  // namespace app
