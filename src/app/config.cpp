#include "app/config.hpp"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "app/original_config.hpp"
#include "app/secrets.hpp"
#include "connector/channel_template.hpp"
#include "net/http_fields.hpp"

namespace app {
namespace {

[[noreturn]] void wrong(const toml::node& node, const std::string& what) {
    throw std::runtime_error(fmt::format("configuration, line {}: {}", node.source().begin.line, what));
}

/// A table's settings, each asked for by name; what nobody asked for is a mistake in the file.
class Settings {
public:
    Settings(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}

    template <class T>
    void take(std::string_view name, T& target) {
        if (const auto* node = find(name)) {
            const auto value = node->value<T>();
            if (!value) wrong(*node, fmt::format("{}{} has the wrong type", where_, name));
            target = *value;
        }
    }
    /// Null when it is not set.
    const toml::node* take(std::string_view name, std::vector<std::string>& target) {
        const auto* node = find(name);
        if (!node) return nullptr;
        const auto* array = node->as_array();
        if (!array) wrong(*node, fmt::format("{}{} is a list of strings", where_, name));
        target.clear();
        for (const auto& each : *array) {
            if (!each.is_string()) wrong(each, fmt::format("{}{} is a list of strings", where_, name));
            target.push_back(**each.as_string());
        }
        return node;
    }
    void take(std::string_view name, std::size_t& target, std::size_t least, std::size_t most) {
        const auto* node = find(name);
        if (!node) return;
        const auto value = node->value<std::int64_t>();
        if (!value || *value < static_cast<std::int64_t>(least) || *value > static_cast<std::int64_t>(most)) {
            wrong(*node, fmt::format("{}{} is a number from {} to {}", where_, name, least, most));
        }
        target = static_cast<std::size_t>(*value);
    }
    template <class Each>
    void take_tables(std::string_view name, Each each) {
        const auto* node = find(name);
        if (!node) return;
        const auto* array = node->as_array();
        if (!array) wrong(*node, fmt::format("[[{}{}]] is a list of tables", where_, name));
        for (const auto& entry : *array) {
            if (!entry.is_table()) wrong(entry, fmt::format("[[{}{}]] is a list of tables", where_, name));
            Settings settings{*entry.as_table(), fmt::format("{}{}.", where_, name)};
            each(settings, entry);
            settings.check_all_known();
        }
    }
    template <class Each>
    void take_table(std::string_view name, Each each) {
        const auto* node = find(name);
        if (!node) return;
        if (!node->is_table()) wrong(*node, fmt::format("[{}{}] is a table", where_, name));
        Settings settings{*node->as_table(), fmt::format("{}{}.", where_, name)};
        each(settings);
        settings.check_all_known();
    }
    void check_all_known() const {
        for (const auto& [name, node] : table_) {
            if (!asked_.contains(std::string{name.str()})) wrong(node, fmt::format("unknown setting {}{}", where_, name.str()));
        }
    }

private:
    const toml::node* find(std::string_view name) {
        asked_.emplace(name);
        return table_.get(name);
    }
    const toml::table& table_;
    std::string where_;
    std::set<std::string> asked_;
};

void read_rule(Settings& settings, const toml::node& node, Config& config) {
    RuleConfig rule{.id = fmt::format("rule-{}", config.rules.size() + 1)};
    settings.take("id", rule.id);
    settings.take("channel", rule.channel);
    settings.take("source", rule.source);
    settings.take("target", rule.target);
    try {
        std::regex{rule.channel};
    } catch (const std::regex_error&) {
        wrong(node, fmt::format("rules.channel \"{}\" is not a regular expression", rule.channel));
    }
    if (rule.channel.empty()) wrong(node, "rules.channel is missing: a regular expression for channel names");
    if (rule.source != "channel.message") wrong(node, "rules.source can be channel.message");
    if (rule.target != "function:chat") wrong(node, "rules.target can be function:chat");
    config.rules.push_back(std::move(rule));
}

void read_table(Settings& settings, const toml::node& node, Config& config) {
    TableConfig table;
    settings.take("schema", table.schema);
    settings.take("table", table.table);
    settings.take("channel", table.channel);
    settings.take("operations", table.operations);
    settings.take("columns", table.columns);
    settings.take("where", table.where);
    settings.take("payload", table.payload);
    settings.take("name", table.name);
    if (table.table.empty() || table.channel.empty()) wrong(node, "connector.tables needs a table and a channel");
    for (const auto& operation : table.operations) {
        if (operation != "insert" && operation != "update" && operation != "delete")
            wrong(node, "operations are insert, update and delete");
    }
    if (table.payload != "row" && table.payload != "change" && table.payload != "message") wrong(node, "payload is row, change or message");
    if (const auto channel = connector::ChannelTemplate::parse(table.channel); !channel) {
        wrong(node, fmt::format("channel \"{}\": {}", table.channel, channel.error().message));
    }
    config.tables.push_back(std::move(table));
}

void read_namespace(Settings& settings, const toml::node& node, Config& config) {
    auth::Namespace made{.mutable_messages = true};
    settings.take("id", made.id);
    settings.take("persisted", made.persisted);
    settings.take("mutable_messages", made.mutable_messages);
    settings.take("push_enabled", made.push_enabled);
    if (made.id.empty() || made.id.find(':') != made.id.npos) {
        wrong(node, "namespaces.id is what channel names have before their first ':'");
    }
    config.namespaces.push_back(std::move(made));
}

void read_blocks(Settings& settings, std::string_view name, std::vector<net::Cidr>& blocks) {
    std::vector<std::string> texts;
    const auto* node = settings.take(name, texts);
    if (!node) return;
    blocks.clear();
    for (const auto& text : texts) {
        const auto block = net::Cidr::parse(text);
        if (!block) wrong(*node, fmt::format("addresses.{}: \"{}\" is not an address or a block of them, as 10.0.0.0/8", name, text));
        blocks.push_back(*block);
    }
}

void read_addresses(Settings& settings, net::GateSettings& addresses) {
    constexpr std::size_t most = 1'000'000;
    settings.take("connections", addresses.connections, 0, most);
    settings.take("connections_per_second", addresses.connections_per_second, 0, most);
    settings.take("token_requests_per_second", addresses.token_requests_per_second, 0, most);
    read_blocks(settings, "exempt", addresses.exempt);
    read_blocks(settings, "trusted_proxies", addresses.proxies);
}

void read_endpoint(Settings& settings, EndpointConfig& endpoint) {
    std::size_t port = endpoint.port;
    std::string key_file;
    settings.take("host", endpoint.host);
    settings.take("port", port, 1, 65'535);
    settings.take("tls", endpoint.tls);
    settings.take("key", endpoint.key);
    settings.take("key_file", key_file);
    settings.take("message_bytes", endpoint.message_bytes, 1, base::limits::frame_bytes_max);
    endpoint.port = static_cast<std::uint16_t>(port);
    if (!key_file.empty()) endpoint.key = read_secret(key_file);
}

void read_toml(const std::filesystem::path& file, Config& config) {
    toml::table root;
    try {
        root = toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        // Without what it found there instead: that may be a part of a secret.
        const auto what = error.description().substr(0, error.description().find(", saw"));
        throw std::runtime_error(fmt::format("{}, line {}: {}", file.string(), error.source().begin.line, what));
    }
    Settings settings{root, ""};
    std::string listen, metrics_listen, data = config.data.string(), web;
    auto retention = static_cast<std::size_t>(config.retention.count()), drain = static_cast<std::size_t>(config.drain.count());
    settings.take("listen", listen);
    settings.take("data", data);
    settings.take("web", web);
    settings.take("shards", config.shards, 0, 256);
    settings.take("retention_seconds", retention, 1, 86'400);
    settings.take("drain_seconds", drain, 0, 3'600);
    settings.take("log_level", config.log_level);
    settings.take("cors_origins", config.cors_origins);
    settings.take("websocket_compression", config.websocket_compression);
    settings.take("metrics_listen", metrics_listen);
    settings.take_table("server", [&](Settings& server) {
        server.take("hosts", config.hosts);
        server.take("metrics_listen", metrics_listen);
    });
    if (!listen.empty()) config.set_listen(listen);
    if (!metrics_listen.empty()) config.set_metrics_listen(metrics_listen);
    config.data = data;
    config.web = web;
    config.retention = std::chrono::seconds{retention};
    config.drain = std::chrono::seconds{drain};
    settings.take_tables("keys", [&](Settings& each, const toml::node& node) {
        KeyConfig key;
        each.take("key", key.key);
        each.take("capability", key.capability);
        each.take("revocable", key.revocable);
        auto token_ttl = static_cast<std::size_t>(key.token_ttl_max.count());
        each.take("token_ttl_seconds", token_ttl, 1, auth::token_ttl_seconds_max);
        key.token_ttl_max = std::chrono::seconds{token_ttl};
        if (key.key.empty()) wrong(node, "keys.key is missing: appId.keyId:secret");
        config.keys.push_back(std::move(key));
    });
    settings.take_table("limits", [&](Settings& limits) {
        for (const auto& [name, limit, least, most] : auth::limit_settings()) limits.take(name, config.limits.*limit, least, most);
        auto unread = static_cast<std::size_t>(config.unread.count());
        limits.take("memory_bytes", config.memory_bytes, base::limits::memory_bytes_min, std::size_t{1} << 50);
        limits.take("unread_seconds", unread, 1, 86'400);
        config.unread = std::chrono::seconds{unread};
    });
    settings.take_table("addresses", [&](Settings& addresses) { read_addresses(addresses, config.addresses); });
    settings.take_tables("namespaces", [&](Settings& each, const toml::node& node) { read_namespace(each, node, config); });
    settings.take_table("auth", [&](Settings& auth) {
        auth.take("enabled", config.browser_auth);
        auth.take("capability", config.browser_capability);
    });
    settings.take_table("endpoint", [&](Settings& endpoint) { read_endpoint(endpoint, config.endpoint); });
    settings.take_table("database", [&](Settings& database) { database.take("url", config.database_url); });
    settings.take_table("connector", [&](Settings& connector) {
        connector.take("slot", config.slot);
        connector.take("publication", config.publication);
        connector.take("message_name", config.message_name);
        std::string snapshot = "none";
        connector.take("snapshot", snapshot);
        connector.take("recreate_slot", config.recreate_slot);
        if (snapshot != "none" && snapshot != "initial") wrong(root, "connector.snapshot is none or initial");
        config.snapshot = snapshot == "initial";
        if (root["connector"]["tables"]) config.tables.clear();
        connector.take_tables("tables", [&](Settings& each, const toml::node& node) { read_table(each, node, config); });
    });
    if (root["rules"]) config.rules.clear();
    settings.take_tables("rules", [&](Settings& each, const toml::node& node) { read_rule(each, node, config); });
    settings.check_all_known();
}

void read_environment(Config& config) {
    const auto take = [](const char* name, auto set) {
        if (const char* value = std::getenv(name); value && *value) set(std::string{value});
    };
    take("PALIMPSEST_LISTEN", [&](const std::string& value) { config.set_listen(value); });
    take("PALIMPSEST_METRICS_LISTEN", [&](const std::string& value) { config.set_metrics_listen(value); });
    take("PALIMPSEST_HOSTS", [&](const std::string& value) {
        config.hosts.clear();
        for (const auto each : net::elements_of(value)) config.hosts.emplace_back(each);
    });
    take("PALIMPSEST_DATA", [&](const std::string& value) { config.data = value; });
    take("PALIMPSEST_WEB", [&](const std::string& value) { config.web = value; });
    take("PALIMPSEST_LOG_LEVEL", [&](const std::string& value) { config.log_level = value; });
    take("PALIMPSEST_KEY", [&](const std::string& value) { config.keys = {{.key = value}}; });
    take("DATABASE_URL", [&](const std::string& value) { config.database_url = value; });
}

}  // namespace

namespace {

/// "host:port", "[v6]:port" or "port".
void read_address(const std::string& text, std::string& host, std::uint16_t& port) {
    const auto colon = text.rfind(':');
    const auto digits = colon == text.npos ? text : text.substr(colon + 1);
    unsigned number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || number > 65'535) {
        throw std::runtime_error(fmt::format("\"{}\" is not HOST:PORT", text));
    }
    port = static_cast<std::uint16_t>(number);
    if (colon == text.npos) return;
    host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
}

}  // namespace

void Config::set_listen(const std::string& text) { read_address(text, listen_host, listen_port); }

void Config::set_metrics_listen(const std::string& text) {
    metrics_host = listen_host;
    read_address(text, metrics_host, metrics_port);
}

namespace {

std::optional<std::string> variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value && *value ? std::optional<std::string>{value} : std::nullopt;
}

std::string whole_text(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw std::runtime_error(fmt::format("{}: cannot be read", file.string()));
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// As dotenv does: what is in the environment wins over the file.
void read_env(const std::filesystem::path& file, Config& config) {
    const auto lines = read_env_file(whole_text(file), file.string());
    read_original_environment(
        [&](const std::string& name) {
            if (auto value = variable(name)) return value;
            const auto found = lines.find(name);
            return found == lines.end() || found->second.empty() ? std::nullopt : std::optional{found->second};
        },
        config);
}

void read_file(const std::optional<std::filesystem::path>& file, Config& config) {
    const auto chosen = file.value_or("palimpsest.toml");
    if (!std::filesystem::exists(chosen)) {
        if (file) throw std::runtime_error(fmt::format("{}: no such file", file->string()));
        return;
    }
    if (chosen.extension() == ".json") read_original_json(whole_text(chosen), chosen.string(), config);
    else if (chosen.extension() == ".env" || chosen.filename() == ".env") read_env(chosen, config);
    else read_toml(chosen, config);
    if (!config.keys.empty() || !config.endpoint.key.empty() || config.database_url.contains("password")) check_secrets_within(chosen);
}

}  // namespace

Config load_config(const std::optional<std::filesystem::path>& file) {
    Config config;
    read_file(file, config);
    read_environment(config);
    return config;
}

Config load_connect_config(const std::optional<std::filesystem::path>& file) {
    auto config = load_config(file);
    // The original connector's variables say all of it or nothing: who named a database elsewhere did not mean them.
    if (config.database_url.empty() && has_original_environment(variable)) read_original_environment(variable, config);
    if (const auto key = variable("ABLY_API_KEY")) config.endpoint.key = *key;
    else if (const auto key_file = variable("ABLY_API_KEY_FILE")) config.endpoint.key = read_secret(*key_file);
    return config;
}

}  // namespace app
