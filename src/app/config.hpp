#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "auth/app.hpp"
#include "base/limits.hpp"
#include "base/resource_limits.hpp"
#include "net/gate.hpp"

namespace app {

struct KeyConfig {
    std::string key;                         // appId.keyId:secret
    std::string capability = R"({"*":["*"]})";
    bool revocable = false;                  // its tokens can be revoked, and live an hour at most
    std::chrono::seconds token_ttl_max = auth::token_ttl_max;
};

struct RuleConfig {
    std::string id;
    std::string channel;                     // a regular expression (ECMAScript) that a channel's whole name must match
    std::string source = "channel.message";
    std::string target = "function:chat";
};

struct TableConfig {
    std::string schema = "public";
    std::string table;
    std::string channel;
    std::vector<std::string> operations{"insert", "update", "delete"};
    std::vector<std::string> columns{};      // that subscribers get; empty: all
    std::string where{};                     // SQL: of which rows
    std::string payload = "row";             // or change, or message
    std::string name{};                      // of the messages; empty: message_name for rows, else the table's
};

/// Where `connect` publishes to: an Ably-compatible REST API.
struct EndpointConfig {
    std::string host = "main.realtime.ably.net";
    std::uint16_t port = 0;                  // 0: 443, or 80 without TLS
    bool tls = true;
    std::string key;                         // appId.keyId:secret
    std::size_t message_bytes = base::limits::message_bytes_max;  // that it takes at a time

    friend bool operator==(const EndpointConfig&, const EndpointConfig&) = default;
};

/// palimpsest.toml < environment < flags (D9). The defaults are the chat.
struct Config {
    std::string listen_host = "127.0.0.1";
    std::uint16_t listen_port = 8080;        // 0: any free one
    std::string metrics_host;                // empty: /metrics is where clients are served
    std::uint16_t metrics_port = 0;
    std::vector<std::string> hosts;          // that browsers may know this server by, besides what it listens on and localhost
    std::filesystem::path data = "data";
    std::filesystem::path web;               // empty: no page is served
    std::size_t shards = 0;                  // 0: one per core
    std::string log_level = "info";
    std::chrono::seconds retention = base::limits::retention;  // how far back a re-attach, a rewind and history reach
    std::chrono::seconds drain = base::limits::drain;           // how long a server that is to stop has for what is under way
    std::vector<std::string> cors_origins;
    bool websocket_compression = false;      // permessage-deflate, for clients that offer it
    std::vector<KeyConfig> keys;             // none: one is made and kept in data/api-key

    auth::AppLimits limits;                  // of each app
    std::size_t memory_bytes = 0;            // that the process may use before it sheds load; 0: a share of what there is
    std::chrono::seconds unread = base::limits::unread_for_max;  // what a client has to take within that time, or it goes
    net::GateSettings addresses;             // limits by address
    std::vector<auth::Namespace> namespaces; // of each app

    bool browser_auth = true;                // GET /auth gives anyone a token with this:
    std::string browser_capability = R"({"outgoing-chat":["publish","subscribe","presence"],)"
                                     R"("incoming-chat":["subscribe","history"],"chat-errors:<clientId>":["subscribe"]})";

    std::string database_url;                // empty: `up` starts a private Postgres
    EndpointConfig endpoint;
    std::string slot = "palimpsest", publication = "palimpsest";
    std::string message_name = "New message from the Ably/ Postgres connector";  // what the original's subscribers expect
    bool snapshot = false;                   // a new slot begins with the rows that are there
    bool recreate_slot = false;              // a slot that cannot be gone on with is made anew, and subscribers are told of the gap
    std::vector<TableConfig> tables{{.table = "chat_data", .channel = "incoming-chat"}};
    std::vector<RuleConfig> rules{{.id = "chat", .channel = "outgoing-chat"}};

    /// "host:port", "[v6]:port" or "port". Throws std::runtime_error saying what is wrong.
    void set_listen(const std::string& text);
    void set_metrics_listen(const std::string& text);  // likewise
};

/// Reads the file (if it is given, or ./palimpsest.toml exists), then the environment. Throws std::runtime_error that says
/// where and what: an unknown setting is an error, not a silence. A .json or .env file is the original connector's.
Config load_config(const std::optional<std::filesystem::path>& file);
/// The same for who publishes to an endpoint: with the environment of the original connector too.
Config load_connect_config(const std::optional<std::filesystem::path>& file);

}  // namespace app
