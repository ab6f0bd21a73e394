#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "app/bench.hpp"
#include "app/connect.hpp"
#include "app/database_url.hpp"
#include "app/doctor.hpp"
#include "app/sandbox.hpp"
#include "app/serve.hpp"
#include "app/up.hpp"
#include "base/log.hpp"

namespace {

/// The flags that every subcommand shares; each wins over the environment and the file (D9).
struct Flags {
    std::optional<std::string> config, listen, data, web, database_url, log_level;
    std::optional<std::size_t> shards;
    std::optional<std::string> endpoint, key;
    std::optional<std::uint16_t> port;
    bool no_tls = false, json = false;

    void add_to(CLI::App& command) {
        add_listening_to(command);
        command.add_option("--config", config, "palimpsest.toml to read (default: ./palimpsest.toml, if there is one)");
        command.add_option("--data", data, "folder for what must be kept (default: ./data)");
        command.add_option("--web", web, "folder of the page to serve");
    }
    void add_listening_to(CLI::App& command) {
        command.add_option("--listen", listen, "HOST:PORT to listen on (default: 127.0.0.1:8080)");
        command.add_option("--shards", shards, "threads that serve (default: one per core)");
        command.add_option("--log-level", log_level, "debug, info, warn or error (default: info)");
    }

    void add_connecting_to(CLI::App& command) {
        command.add_option("--config", config, "palimpsest.toml, or the original connector's .json or .env file, to read");
        command.add_option("--database-url", database_url, "the Postgres to read, as libpq takes it");
        command.add_option("--endpoint", endpoint, "host of an Ably-compatible service (default: main.realtime.ably.net)");
        command.add_option("--port", port, "its port (default: 443, or 80 without TLS)");
        command.add_flag("--no-tls", no_tls, "speak plain HTTP with it");
        command.add_option("--key", key,
                           "API key, appId.keyId:secret (others can see it in ps: ABLY_API_KEY or ABLY_API_KEY_FILE hide it)");
    }
    app::Config load_connect() const {
        auto loaded = with_flags(app::load_connect_config(config ? std::optional<std::filesystem::path>{*config} : std::nullopt));
        if (endpoint) loaded.endpoint.host = *endpoint;
        if (port) loaded.endpoint.port = *port;
        if (no_tls) loaded.endpoint.tls = false;
        if (key) loaded.endpoint.key = *key;
        return loaded;
    }

    app::Config load() const {
        return with_flags(app::load_config(config ? std::optional<std::filesystem::path>{*config} : std::nullopt));
    }
    app::Config with_flags(app::Config loaded) const {
        if (listen) loaded.set_listen(*listen);
        if (data) loaded.data = *data;
        if (web) loaded.web = *web;
        if (database_url) loaded.database_url = *database_url;
        if (shards) loaded.shards = *shards;
        if (log_level) loaded.log_level = *log_level;
        if (!base::log::set_level(loaded.log_level)) throw std::runtime_error("log_level is debug, info, warn or error");
        app::settle_database_url(loaded);
        return loaded;
    }
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App cli{"Palimpsest: editable realtime chat driven by your own Postgres"};
    cli.require_subcommand(1);
    cli.set_version_flag("--version", "palimpsest 0.1.0");
    Flags flags;
    int exit_code = 0;

    auto& up = *cli.add_subcommand("up", "Everything on one machine: Postgres, the server, the function and the connector");
    flags.add_to(up);
    up.add_option("--database-url", flags.database_url, "your Postgres, as libpq takes it (default: a private one under --data)");
    bool recreate_slot = false;
    up.add_flag("--recreate-slot", recreate_slot, "if the replication slot is gone or lost, make it anew and tell subscribers of the gap");
    up.callback([&] {
        exit_code = app::up([&] {
            auto config = flags.load();
            config.recreate_slot = config.recreate_slot || recreate_slot;
            return config;
        });
    });

    auto& serve = *cli.add_subcommand("serve", "The pub/sub server alone: speaks the Ably protocol");
    flags.add_to(serve);
    serve.callback([&] { exit_code = app::serve(flags.load()); });

    auto& connect = *cli.add_subcommand("connect",
                                        "The connector alone: a database's changes to an Ably-compatible service, ours or hosted Ably");
    flags.add_connecting_to(connect);
    connect.add_option("--listen", flags.listen, "HOST:PORT for /healthz, /readyz and /metrics (default: none)");
    connect.add_option("--log-level", flags.log_level, "debug, info, warn or error (default: info)");
    connect.callback([&] { exit_code = app::connect([&] { return flags.load_connect(); }, flags.listen.has_value()); });

    auto& doctor = *cli.add_subcommand("doctor", "Looks whether the connector can work, and says what mends what is wrong");
    flags.add_connecting_to(doctor);
    doctor.add_flag("--json", flags.json, "for scripts; the exit code is 1 when something has to be mended");
    doctor.callback([&] { exit_code = app::doctor(flags.load_connect(), flags.json); });

    auto& sandbox = *cli.add_subcommand("sandbox", "The pub/sub server for SDKs' test suites: apps come and go by POST and DELETE /apps");
    flags.add_listening_to(sandbox);
    sandbox.callback([&] { exit_code = app::sandbox(flags.with_flags({})); });

    app::add_bench(cli, exit_code);

    try {
        cli.parse(argc, argv);
    } catch (const CLI::ExtrasError& error) {
        // CLI11 would print them, and what a shell has cut off a connection string may be a part of its password.
        std::fprintf(stderr, "palimpsest: there is an argument that the command does not have: see palimpsest COMMAND --help\n");
        return error.get_exit_code();
    } catch (const CLI::ConversionError& error) {  // "Could not convert: --port = …"
        const std::string what = error.what();
        std::fprintf(stderr, "palimpsest: %s\n", what.substr(0, what.find(" = ")).c_str());
        return error.get_exit_code();
    } catch (const CLI::ParseError& error) {
        return cli.exit(error);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "palimpsest: cannot start: %s\n", error.what());
        return 1;
    }
    return exit_code;
}
