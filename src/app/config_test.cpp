#include "app/config.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

using namespace app;

namespace {

/// A configuration file for one test.
class File {
public:
    explicit File(const std::string& text)
        : path_(std::filesystem::temp_directory_path() / ("palimpsest-config-test-" + std::to_string(::getpid()))) {
        std::ofstream{path_} << text;
    }
    ~File() { std::filesystem::remove(path_); }
    Config load() const { return load_config(path_); }
    std::string error() const {
        try {
            load();
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "no error";
    }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST(Config, the_defaults_are_the_chat) {
    const auto config = File{""}.load();
    ASSERT_EQ(config.rules.size(), 1u);
    EXPECT_EQ(config.rules[0].channel, "outgoing-chat");
    ASSERT_EQ(config.tables.size(), 1u);
    EXPECT_EQ(config.tables[0].channel, "incoming-chat");
    EXPECT_EQ(config.listen_port, 8080);
}

TEST(Config, D9_reads_every_setting) {
    const auto config = File{R"(
listen = "[::1]:9000"
data = "/tmp/x"
shards = 3
retention_seconds = 300
drain_seconds = 9
cors_origins = ["https://chat.example"]
websocket_compression = true
[[keys]]
key = "app.id:secret"
capability = '{"a":["publish"]}'
revocable = true
token_ttl_seconds = 900
[limits]
connections = 10
inbound_per_channel = 100
memory_bytes = 268435456
unread_seconds = 30
[addresses]
connections = 50
connections_per_second = 0
token_requests_per_second = 3
exempt = []
trusted_proxies = ["10.0.0.0/8", "::1"]
[[namespaces]]
id = "log"
persisted = true
mutable_messages = false
[auth]
enabled = false
[database]
url = "postgres://db/x"
[connector]
slot = "s"
snapshot = "initial"
recreate_slot = true
[[connector.tables]]
schema = "sales"
table = "orders"
channel = "orders:{shop}"
operations = ["insert"]
columns = ["id", "shop"]
where = "id > 0"
payload = "message"
name = "order"
[[rules]]
id = "r1"
channel = "room:.*"
)"}.load();
    EXPECT_EQ(config.listen_host, "::1");
    EXPECT_EQ(config.listen_port, 9000);
    EXPECT_EQ(config.shards, 3u);
    EXPECT_EQ(config.retention, std::chrono::minutes{5});
    EXPECT_EQ(config.drain, std::chrono::seconds{9});
    EXPECT_EQ(config.cors_origins, std::vector<std::string>{"https://chat.example"});
    EXPECT_TRUE(config.websocket_compression);
    EXPECT_EQ(config.keys.at(0).key, "app.id:secret");
    EXPECT_TRUE(config.keys.at(0).revocable);
    EXPECT_EQ(config.keys.at(0).token_ttl_max, std::chrono::minutes{15});
    EXPECT_EQ(config.limits, (auth::AppLimits{.connections = 10, .inbound_per_channel = 100}));
    EXPECT_EQ(config.namespaces, (std::vector<auth::Namespace>{{.id = "log", .persisted = true}}));
    EXPECT_EQ(config.memory_bytes, 256u << 20);
    EXPECT_EQ(config.unread, std::chrono::seconds{30});
    EXPECT_EQ(config.addresses.connections, 50u);
    EXPECT_EQ(config.addresses.connections_per_second, 0u);
    EXPECT_EQ(config.addresses.token_requests_per_second, 3u);
    EXPECT_TRUE(config.addresses.exempt.empty());
    EXPECT_TRUE(net::contains(config.addresses.proxies, *net::Address::parse("10.1.2.3")));
    EXPECT_FALSE(config.browser_auth);
    EXPECT_EQ(config.database_url, "postgres://db/x");
    EXPECT_EQ(config.tables.size(), 1u);
    EXPECT_TRUE(config.snapshot && config.recreate_slot);
    EXPECT_EQ(config.tables.at(0).operations, std::vector<std::string>{"insert"});
    EXPECT_EQ(config.tables.at(0).columns, (std::vector<std::string>{"id", "shop"}));
    EXPECT_EQ(config.tables.at(0).where, "id > 0");
    EXPECT_EQ(config.tables.at(0).payload, "message");
    EXPECT_EQ(config.tables.at(0).name, "order");
    EXPECT_EQ(config.rules.at(0).channel, "room:.*");
}

TEST(Config, D9_the_environment_wins_over_the_file) {
    ::setenv("PALIMPSEST_LISTEN", "127.0.0.1:9100", 1);
    const auto config = File{"listen = \"127.0.0.1:9000\""}.load();
    ::unsetenv("PALIMPSEST_LISTEN");
    EXPECT_EQ(config.listen_port, 9100);
}

TEST(Config, names_and_the_metrics_address_are_the_server_s) {
    ::setenv("PALIMPSEST_HOSTS", "a.example, *.b.example", 1);
    const auto both = File{"[server]\nhosts = [\"c.example\"]\nmetrics_listen = \"9090\""}.load();
    ::unsetenv("PALIMPSEST_HOSTS");
    EXPECT_EQ(both.hosts, (std::vector<std::string>{"a.example", "*.b.example"}));
    EXPECT_EQ(both.metrics_host, "127.0.0.1");
    EXPECT_EQ(both.metrics_port, 9090);
    const auto config = File{"metrics_listen = \"[::1]:9091\"\n[server]\nhosts = [\"c.example\"]"}.load();
    EXPECT_EQ(config.hosts, std::vector<std::string>{"c.example"});
    EXPECT_EQ(config.metrics_host, "::1");
    EXPECT_EQ(config.metrics_port, 9091);
    EXPECT_EQ(File{"[server]\nmetrics_listen = \"here\""}.error(), "\"here\" is not HOST:PORT");
}

TEST(Config, a_mistake_is_told_with_its_line) {
    EXPECT_EQ(File{"\nlisen = \"x\""}.error(), "configuration, line 2: unknown setting lisen");
    EXPECT_EQ(File{"[[rules]]\nchannel = \"(\""}.error(), "configuration, line 1: rules.channel \"(\" is not a regular expression");
    EXPECT_EQ(File{"shards = \"two\""}.error(), "configuration, line 1: shards is a number from 0 to 256");
    EXPECT_EQ(File{"[limits]\nmessage_bytes = 0"}.error(), "configuration, line 2: limits.message_bytes is a number from 1 to 524288");
    EXPECT_EQ(File{"[limits]\nfish = 0"}.error(), "configuration, line 2: unknown setting limits.fish");
    EXPECT_EQ(File{"[limits]\nmemory_bytes = 1000"}.error(),
              "configuration, line 2: limits.memory_bytes is a number from 134217728 to 1125899906842624");
    EXPECT_EQ(File{"[addresses]\nexempt = [\"10.0.0.0/33\"]"}.error(),
              "configuration, line 2: addresses.exempt: \"10.0.0.0/33\" is not an address or a block of them, as 10.0.0.0/8");
    EXPECT_EQ(File{"[[namespaces]]\nid = \"a:b\""}.error(),
              "configuration, line 1: namespaces.id is what channel names have before their first ':'");
    EXPECT_EQ(File{"listen = \"nowhere\""}.error(), "\"nowhere\" is not HOST:PORT");
    const auto table = [](const std::string& rest) { return File{"[[connector.tables]]\ntable = \"t\"\n" + rest}.error(); };
    EXPECT_EQ(table("channel = \"a:{b\""), "configuration, line 1: channel \"a:{b\": '{' is followed by a column's name and '}'");
    EXPECT_EQ(table("channel = \"a\"\npayload = \"x\""), "configuration, line 1: payload is row, change or message");
    EXPECT_EQ(File{"[connector]\ntables = 3"}.error(), "configuration, line 2: [[connector.tables]] is a list of tables");
}
