#include "app/original_config.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace app {
namespace {

/// What it complains of; "" when it does not.
template <class Read>
std::string complaint(Read read) {
    try {
        read();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

std::string json_complaint(std::string_view text) {
    return complaint([&] {
        Config config;
        read_original_json(text, "c.json", config);
    });
}

Variables from(std::map<std::string, std::string> variables) {
    return [variables = std::move(variables)](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional{found->second};
    };
}

TEST(OriginalConfig, its_json_file_is_read_as_it_is) {
    Config config;
    read_original_json(R"({
        "dbConfig": {"host": "db", "port": 5432, "user": "postgres", "password": "it's \\ a secret", "database": "mydb"},
        "connector": [
            {"tablename": "users", "ablychannelname": "all", "operation": "INSERT"},
            {"tablename": "users", "ablychannelname": "gone", "operation": "DELETE"},
            {"tablename": "users", "ablychannelname": "all", "operation": "update"}],
        "ably": {"apiKey": "app.key:secret"}})",
                       "c.json", config);
    EXPECT_EQ(config.database_url, R"(host='db' port='5432' user='postgres' password='it\'s \\ a secret' dbname='mydb')");
    EXPECT_EQ(config.endpoint.key, "app.key:secret");
    ASSERT_EQ(config.tables.size(), 2);
    EXPECT_EQ(config.tables[0].channel, "all");
    EXPECT_EQ(config.tables[0].operations, (std::vector<std::string>{"insert", "update"}));
    EXPECT_EQ(config.tables[1].table, "users");
    EXPECT_EQ(config.tables[1].operations, std::vector<std::string>{"delete"});
}

TEST(OriginalConfig, a_mistake_is_said_with_its_place) {
    EXPECT_EQ(json_complaint("{\n  \"dbConfig\": {,\n}"), "c.json, line 2: not JSON (syntax error)");
    EXPECT_EQ(json_complaint("{}"), "c.json: \"dbConfig\" is missing");
    EXPECT_EQ(json_complaint("[]"), "c.json is an object");
    EXPECT_EQ(json_complaint(R"({"dbConfig":{"hots":"db"}})"), "c.json: dbConfig.hots is not a setting that is known here");
    EXPECT_EQ(json_complaint(R"({"dbConfig":{"port":"x"}})"), "c.json: dbConfig.port is a port: a number from 1 to 65535");
    EXPECT_EQ(json_complaint(R"({"dbConfig":{"host":"h"},"connector":[]})"), "c.json: connector is a list of tables");
    EXPECT_EQ(
        json_complaint(R"({"dbConfig":{"host":"h"},"connector":[{"tablename":"t","ablychannelname":"c","operation":"TRUNCATE"}]})"),
        "c.json: connector[0].operation is INSERT, UPDATE or DELETE");
    EXPECT_EQ(json_complaint(R"({"dbConfig":{"host":"h"},"connector":[{"tablename":"t","operation":"INSERT"}]})"),
              "c.json: connector[0].ablychannelname is missing");
    EXPECT_EQ(
        json_complaint(
            R"({"dbConfig":{"host":"h"},"connector":[{"tablename":"t","ablychannelname":"c","operation":"INSERT"}],"ably":{}})"),
        "c.json: ably.apiKey is missing");
}

TEST(OriginalConfig, its_environment_is_read_as_it_is) {
    Config config;
    read_original_environment(from({{"DB_HOST", "db"},
                                    {"DB_PORT", "5433"},
                                    {"DB_USER", "u"},
                                    {"DB_PASSWORD", "p"},
                                    {"DB_NAME", "d"},
                                    {"ABLY_API_KEY", "a.k:s"},
                                    {"ABLY_CONNECTOR", R"([{"tablename":"s.t","ablychannelname":"c","operation":"INSERT"}])"}}),
                              config);
    EXPECT_EQ(config.database_url, "host='db' port='5433' user='u' password='p' dbname='d'");
    EXPECT_EQ(config.endpoint.key, "a.k:s");
    ASSERT_EQ(config.tables.size(), 1);
    EXPECT_EQ(config.tables[0].schema, "s");
    EXPECT_EQ(config.tables[0].table, "t");
}

TEST(OriginalConfig, a_secret_can_be_in_a_file_and_a_password_nowhere_at_all) {
    const auto file = testing::TempDir() + "secret-" + std::to_string(::getpid());
    std::ofstream{file} << "from a file\r\n";
    std::filesystem::permissions(file, std::filesystem::perms{0600});
    Config config;
    read_original_environment(from({{"DB_HOST", "db"}, {"DB_PASSWORD_FILE", file}, {"ABLY_API_KEY_FILE", file}}), config);
    EXPECT_EQ(config.database_url, "host='db' password='from a file'");
    EXPECT_EQ(config.endpoint.key, "from a file");
    for (const auto mode : {0640, 0604, 0620, 0602}) {
        std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
        const auto refusal = complaint([&] { read_secret(file); });
        EXPECT_TRUE(refusal.ends_with("Run: chmod 600 " + file)) << refusal;
    }
    std::remove(file.c_str());
    EXPECT_EQ(complaint([&] {
                  read_original_environment(from({{"DB_PASSWORD_FILE", file}}), config);
              }),
              file + ": cannot be read, or is empty");
    read_original_environment(from({{"DB_HOST", "db"}}), config);
    EXPECT_EQ(config.database_url, "host='db'");
}

TEST(OriginalConfig, an_env_file_has_comments_quotes_and_json) {
    const auto variables = read_env_file(
        "# the database\nexport DB_HOST=db # here\r\nDB_USER = 'a # b'\nDB_PASSWORD=\"x=y\"\nEMPTY=\n"
        "ABLY_CONNECTOR=[{\"tablename\":\"t\"}]\nLONG='one\ntwo' # both",
        "c.env");
    EXPECT_EQ(variables, (std::map<std::string, std::string>{{"DB_HOST", "db"},
                                                             {"DB_USER", "a # b"},
                                                             {"DB_PASSWORD", "x=y"},
                                                             {"EMPTY", ""},
                                                             {"ABLY_CONNECTOR", "[{\"tablename\":\"t\"}]"},
                                                             {"LONG", "one\ntwo"}}));
    EXPECT_EQ(complaint([] { read_env_file("what\n", "c.env"); }), "c.env, line 1: not NAME=value") << "there is nothing else";
    EXPECT_EQ(complaint([] { read_env_file("A=\"x", "c.env"); }), "c.env, line 1: the quote is not closed");
}

TEST(OriginalConfig, what_node_postgres_and_people_add_to_the_json_is_ignored) {
    Config config;
    read_original_json("\xEF\xBB\xBF" R"({
        "$schema": "./schema.json", "comment": "ours",
        "dbConfig": {"host": "db", "port": "5432", "database": "d", "max": 20, "min": 1, "connectionTimeoutMillis": 5000,
                     "idleTimeoutMillis": 1, "application_name": "x", "statement_timeout": false, "query_timeout": 1,
                     "keepAlive": true, "ssl": "no-verify", "options": null, "types": {}},
        "connector": [{"tablename": "t", "ablychannelname": "c", "operation": "INSERT", "description": "why"}],
        "ably": {"apiKey": "a.k:s", "comment": 1}})",
                       "c.json", config);
    EXPECT_EQ(config.database_url, "host='db' port='5432' dbname='d' sslmode='require'");
    EXPECT_EQ(config.tables.at(0).channel, "c");
    EXPECT_EQ(config.endpoint.key, "a.k:s");
}

TEST(OriginalConfig, an_env_file_is_read_as_dotenv_reads_it) {
    const auto variables = read_env_file("\xEF\xBB\xBF" "A=1\r\na.b=1\nA-B=2\nwhat\n=x\nC: 3\nD=`a \"b\" 'c'`\n"
                                         "E=\"one\\ntwo \\\"x\\\"\"\n"
                                         "F='a\\nb'\nG = spaced out  \nH=\nI='ends in \\'\nA=last\nexport J=j\n  K=k # c\n? !\n",
                                         "c.env");
    EXPECT_EQ(variables, (std::map<std::string, std::string>{{"A", "last"}, {"a.b", "1"}, {"A-B", "2"}, {"C", "3"}, {"D", "a \"b\" 'c'"},
                                                             {"E", "one\ntwo \\\"x\\\""}, {"F", "a\\nb"}, {"G", "spaced out"}, {"H", ""},
                                                             {"I", "ends in \\"}, {"J", "j"}, {"K", "k"}}));
}

}  // namespace
}  // namespace app
