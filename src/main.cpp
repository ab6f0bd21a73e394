#include <cstdio>
#include <exception>
#include <optional>

#include <CLI/CLI.hpp>

#include "app/sandbox.hpp"
#include "app/serve.hpp"
#include "app/up.hpp"
#include "base/log.hpp"

namespace {

/// The flags that every subcommand shares; each wins over the environment and the file (D9).
struct Flags {
    std::optional<std::string> config, listen, data, web, database_url, log_level;
    std::optional<std::size_t> shards;

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
        auto config = flags.load();
        config.recreate_slot = config.recreate_slot || recreate_slot;
        exit_code = app::up(config);
    });

    auto& serve = *cli.add_subcommand("serve", "The pub/sub server alone: speaks the Ably protocol");
    flags.add_to(serve);
    serve.callback([&] { exit_code = app::serve(flags.load()); });

    auto& sandbox = *cli.add_subcommand("sandbox", "The pub/sub server for SDKs' test suites: apps come and go by POST and DELETE /apps");
    flags.add_listening_to(sandbox);
    sandbox.callback([&] { exit_code = app::sandbox(flags.with_flags({})); });

    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return cli.exit(error);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "palimpsest: cannot start: %s\n", error.what());
        return 1;
    }
    return exit_code;
}
