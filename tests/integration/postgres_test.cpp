#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "postgres/migrate.hpp"
#include "postgres/pool.hpp"
#include "support.hpp"

using namespace integration;
using postgres::PrivateCluster;

// ---- the cluster

TEST(PrivateCluster, keeps_what_was_committed_through_stop_and_start) {
    TemporaryDirectory directory;
    const PrivateCluster::Options options{.directory = directory.path() / "cluster", .fsync = false};
    {
        auto cluster = PrivateCluster::start(options);
        ASSERT_TRUE(cluster) << cluster.error().message;
        Client{(*cluster)->conninfo()}("CREATE TABLE kept AS SELECT 42 AS answer");
        (*cluster)->stop();
        EXPECT_FALSE((*cluster)->is_running());
        ASSERT_TRUE((*cluster)->restart());
        EXPECT_EQ(Client{(*cluster)->conninfo()}("SELECT answer FROM kept"), (Table{{"42"}}));
    }
    auto again = PrivateCluster::start(options);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(Client{(*again)->conninfo()}("SELECT answer FROM kept"), (Table{{"42"}}));
}

TEST(PrivateCluster, comes_back_after_postgres_was_killed) {
    TemporaryDirectory directory;
    auto cluster = PrivateCluster::start({.directory = directory.path() / "cluster", .fsync = false});
    ASSERT_TRUE(cluster) << cluster.error().message;
    Client{(*cluster)->conninfo()}("CREATE TABLE kept AS SELECT 42 AS answer");
    ::kill((*cluster)->pid(), SIGKILL);
    ASSERT_TRUE(eventually([&] { return !(*cluster)->is_running(); }));
    const auto restarted = (*cluster)->restart();
    ASSERT_TRUE(restarted) << restarted.error().message;
    EXPECT_EQ(Client{(*cluster)->conninfo()}("SELECT answer FROM kept"), (Table{{"42"}}));
}

TEST(PrivateCluster, ends_when_we_are_killed_and_starts_again_at_once) {
    TemporaryDirectory directory;
    const PrivateCluster::Options options{.directory = directory.path() / "cluster", .fsync = false};
    const pid_t owner = ::fork();
    if (owner == 0) {  // a palimpsest of its own, which is killed below
        auto cluster = PrivateCluster::start(options);
        if (cluster) Client{(*cluster)->conninfo()}("CREATE TABLE kept AS SELECT 42 AS answer");
        std::ofstream{directory.path() / "pid.new"} << (cluster ? (*cluster)->pid() : 0);
        std::filesystem::rename(directory.path() / "pid.new", directory.path() / "pid");
        for (;;) ::pause();
    }
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(directory.path() / "pid"); }));
    pid_t postmaster = 0;
    std::ifstream{directory.path() / "pid"} >> postmaster;
    ASSERT_GT(postmaster, 1);

    const auto refused = PrivateCluster::start(options);
    ASSERT_FALSE(refused) << "two at once";
    EXPECT_EQ(refused.error().code, base::ErrorCode::conflict);

    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    auto cluster = PrivateCluster::start(options);
    ASSERT_TRUE(cluster) << cluster.error().message;
    EXPECT_NE((*cluster)->pid(), postmaster);
    EXPECT_EQ(Client{(*cluster)->conninfo()}("SELECT answer FROM kept"), (Table{{"42"}}));
    EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(postmaster) + "/exe")) << "the first one still runs";
}

TEST(PrivateCluster, leaves_the_process_alone_whose_number_a_stale_pid_file_names) {
    TemporaryDirectory directory;
    const PrivateCluster::Options options{.directory = directory.path() / "cluster", .fsync = false};
    auto first = PrivateCluster::start(options);
    ASSERT_TRUE(first) << first.error().message;
    ::kill((*first)->pid(), SIGKILL);
    ASSERT_TRUE(eventually([&] { return !(*first)->is_running(); }));
    first->reset();
    const pid_t innocent = ::fork();
    if (innocent == 0) {
        for (;;) ::pause();
    }
    const auto pid_file = options.directory / "pgdata/postmaster.pid";
    std::ifstream in{pid_file};
    std::string number, rest;
    std::getline(in, number);
    std::getline(in, rest, '\0');
    std::ofstream{pid_file} << innocent << '\n' << rest;

    auto again = PrivateCluster::start(options);  // Postgres itself may refuse; the other process must live either way
    EXPECT_EQ(::waitpid(innocent, nullptr, WNOHANG), 0);
    ::kill(innocent, SIGKILL);
    ::waitpid(innocent, nullptr, 0);
}

TEST(PrivateCluster, moves_where_its_account_can_reach_it_when_root_started_it_in_a_closed_place) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root gives clusters away";
    TemporaryDirectory closed;
    std::filesystem::permissions(closed.path(), std::filesystem::perms{0700});
    const auto directory = closed.path() / "cluster";
    {
        auto cluster = PrivateCluster::start({.directory = directory, .fsync = false});
        ASSERT_TRUE(cluster) << cluster.error().message;
        EXPECT_TRUE(std::filesystem::is_symlink(directory));
    }
    const auto real = std::filesystem::canonical(directory);
    EXPECT_TRUE(real.string().starts_with("/var/lib/palimpsest/"));
    {
        auto cluster = PrivateCluster::start({.directory = directory, .fsync = false});
        EXPECT_TRUE(cluster) << "a second start: " << cluster.error().message;
    }
    std::filesystem::remove_all(real);
}

TEST(PrivateCluster, passes_by_a_socket_directory_that_is_not_its_own) {
    TemporaryDirectory directory;
    const PrivateCluster::Options options{.directory = directory.path() / "cluster", .fsync = false};
    auto first = PrivateCluster::start(options);
    ASSERT_TRUE(first) << first.error().message;
    const auto used = (*first)->conninfo();
    first->reset();
    const std::string taken = used.substr(5, used.find(' ') - 5);
    std::ofstream{taken} << "squatter";  // the name is free again after a stop
    auto second = PrivateCluster::start(options);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_NE((*second)->conninfo(), used);
    EXPECT_EQ(Client{(*second)->conninfo()}("SELECT 1"), (Table{{"1"}}));
    std::filesystem::remove(taken);
}

TEST(PrivateCluster, takes_no_name_in_tmp_unless_its_own_is_too_long_and_then_one_that_cannot_be_known) {
    TemporaryDirectory directory;
    const auto host_of = [](PrivateCluster& cluster) {
        return cluster.conninfo().substr(5, cluster.conninfo().find(' ') - 5);
    };
    auto cluster = PrivateCluster::start({.directory = directory.path() / "cluster", .fsync = false});
    ASSERT_TRUE(cluster) << cluster.error().message;
    EXPECT_EQ(host_of(**cluster), std::filesystem::canonical(directory.path() / "cluster").string() + "/socket");
    cluster->reset();
    const PrivateCluster::Options long_one{.directory = directory.path() / std::string(100, 'x'), .fsync = false};
    auto first = PrivateCluster::start(long_one);
    ASSERT_TRUE(first) << first.error().message;
    const auto host = host_of(**first);
    EXPECT_TRUE(host.starts_with("/tmp/palimpsest-")) << host;
    EXPECT_EQ(std::filesystem::status(host).permissions(), std::filesystem::perms{0700});
    first->reset();
    EXPECT_FALSE(std::filesystem::exists(host));
    auto second = PrivateCluster::start(long_one);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_NE(host_of(**second), host);
}

TEST(PrivateCluster, leaves_no_initdb_behind_when_we_are_killed) {
    TemporaryDirectory directory;
    const auto running = [&] {  // programs that were started with our directory as an argument
        int count = 0;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
            std::ifstream in{entry.path() / "cmdline", std::ios::binary};
            const std::string line{std::istreambuf_iterator<char>{in}, {}};
            count += line.contains(directory.path().string());
        }
        return count;
    };
    const pid_t child = ::fork();
    if (child == 0) {
        const auto cluster = PrivateCluster::start({.directory = directory.path() / "cluster"});
        ::pause();
    }
    ASSERT_TRUE(eventually([&] { return running() > 0; })) << "initdb";
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(eventually([&] { return running() == 0; }));
    const auto cluster = PrivateCluster::start({.directory = directory.path() / "cluster", .fsync = false});
    EXPECT_TRUE(cluster) << "a start after that: " << cluster.error().message;
}

TEST(PrivateCluster, has_a_role_for_the_server_that_is_no_superuser_and_owns_what_is_there) {
    TemporaryDirectory directory;
    const PrivateCluster::Options options{.directory = directory.path() / "cluster", .fsync = false};
    auto cluster = PrivateCluster::start(options);
    ASSERT_TRUE(cluster) << cluster.error().message;
    Client superuser{(*cluster)->conninfo()};
    // As an earlier version left it: everything is the superuser's.
    superuser("DROP EVENT TRIGGER palimpsest_give_to_server");
    ASSERT_TRUE(postgres::migrate((*cluster)->conninfo()));
    superuser("CREATE TABLE mine (id serial PRIMARY KEY); CREATE SCHEMA other; CREATE VIEW other.v AS SELECT * FROM mine;"
              "CREATE PUBLICATION palimpsest FOR TABLE chat_data");
    ASSERT_TRUE((*cluster)->restart());
    const auto owned_by_others = [](Client& client) {
        return client("SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384 AND "
                      "c.relkind IN ('r', 'p', 'v', 'S') AND n.nspname NOT LIKE 'pg\\_%' AND c.relowner <> 'palimpsest_server'::regrole");
    };
    Client server{(*cluster)->server_conninfo()};
    EXPECT_EQ(server("SELECT rolsuper, rolreplication, rolcreaterole, current_user FROM pg_roles WHERE rolname = current_user"),
              (Table{{"f", "t", "f", "palimpsest_server"}}));
    EXPECT_EQ(owned_by_others(server), Table{});
    ASSERT_TRUE(postgres::migrate((*cluster)->server_conninfo())) << "what comes next can be applied";
    server("ALTER PUBLICATION palimpsest SET TABLE chat_data, mine; ALTER TABLE mine REPLICA IDENTITY FULL");
    server("SELECT pg_create_logical_replication_slot('s', 'pgoutput'); SELECT pg_drop_replication_slot('s')");
    // And what a superuser makes while it runs.
    Client again{(*cluster)->conninfo()};
    again("CREATE TABLE later (id int PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY); CREATE TABLE copied AS SELECT 1 AS id;"
          "DROP SCHEMA other CASCADE; CREATE SCHEMA more; CREATE TABLE more.t (id int); CREATE EXTENSION citext; CREATE TEMP TABLE gone (id int)");
    EXPECT_EQ(owned_by_others(server), Table{});
    server("ALTER PUBLICATION palimpsest ADD TABLE later, copied, more.t");
    EXPECT_EQ(Client{(*cluster)->server_conninfo()}.sqlstate_of("COPY mine TO PROGRAM 'true'"), "42501");
    EXPECT_EQ(Client{(*cluster)->server_conninfo()}.sqlstate_of("SELECT pg_read_file('/etc/passwd')"), "42501");
}

// ---- migrations

class Migrations : public DatabaseTest {};

TEST_F(Migrations, applied_twice_or_at_once_are_applied_once) {
    Client{cluster().conninfo()}("CREATE DATABASE raced");
    const auto raced = cluster().conninfo() + " dbname=raced";
    std::vector<std::thread> threads;
    std::atomic<int> failed = 0;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { failed += !postgres::migrate(raced).has_value(); });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failed, 0);
    ASSERT_TRUE(postgres::migrate(raced));
    Table applied;
    for (const auto& each : postgres::migrations()) applied.push_back({std::to_string(each.version), std::string{each.title}});
    EXPECT_EQ(Client{raced}("SELECT version, title FROM palimpsest.schema_version ORDER BY version"), applied);
}

TEST_F(Migrations, leave_in_a_strangers_database_only_what_the_connector_needs_until_more_is_wanted) {
    Client{cluster().conninfo()}("CREATE DATABASE strange");
    const auto strange = cluster().conninfo() + " dbname=strange";
    ASSERT_TRUE(postgres::migrate(strange, postgres::Schema::connector));
    const auto there = "SELECT to_regclass('palimpsest.channel_tail') IS NOT NULL, to_regclass('public.chat_data') IS NOT NULL, "
                       "to_regclass('palimpsest.message') IS NOT NULL";
    EXPECT_EQ(Client{strange}(there), (Table{{"t", "f", "f"}}));
    ASSERT_TRUE(postgres::migrate(strange));
    EXPECT_EQ(Client{strange}(there), (Table{{"t", "t", "t"}}));
    EXPECT_EQ(Client{strange}("SELECT count(*) FROM palimpsest.schema_version"),
              (Table{{std::to_string(postgres::migrations().size())}}));
}

TEST_F(Migrations, of_a_newer_program_are_refused_and_the_version_that_is_needed_is_said) {
    sql("INSERT INTO palimpsest.schema_version (version, title) VALUES (999, 'connector-of-tomorrow')");
    for (const auto schema : {postgres::Schema::whole, postgres::Schema::connector}) {
        const auto refused = postgres::migrate(conninfo, schema);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, base::ErrorCode::conflict);
        EXPECT_TRUE(refused.error().message.contains("999")) << refused.error().message;
    }
}

TEST_F(Migrations, take_the_original_statements_as_they_are) {
    sql("INSERT INTO chat_data(username, msg_id, msg_data, client_id, created_at_timestamp) "
        "VALUES('Ada', 'm1', 'helo', 'c1', 1700000000123)");
    sql("UPDATE chat_data SET msg_data='hello', is_edited=true WHERE msg_id='m1'");
    EXPECT_EQ(sql("SELECT id, msg_id, room, username, client_id, msg_data, is_edited, created_at_timestamp, edited_at IS NULL "
                  "FROM chat_data"),
              (Table{{"1", "m1", "main", "Ada", "c1", "hello", "t", "1700000000123", "f"}}));
}

TEST_F(Migrations, turn_the_original_table_into_ours_and_keep_its_rows) {
    Client{cluster().conninfo()}("CREATE DATABASE original");
    const auto original = cluster().conninfo() + " dbname=original";
    Client client{original};
    client("CREATE TABLE chat_data (username text, msg_id text NOT NULL PRIMARY KEY, msg_data text, client_id text, "
           "incremental_record_id bigserial NOT NULL, created_at_timestamp bigint, is_edited boolean)");
    client("INSERT INTO chat_data(username, msg_id, msg_data) VALUES ('Ada', 'm1', 'before')");
    const auto migrated = postgres::migrate(original);
    ASSERT_TRUE(migrated) << migrated.error().message;
    client("UPDATE chat_data SET msg_data = 'after' WHERE msg_id = 'm1'");
    EXPECT_EQ(client("SELECT d.id, d.room, d.msg_data, d.is_edited, v.version, v.msg_data "
                     "FROM chat_data d JOIN chat_data_versions v USING (msg_id)"),
              (Table{{"1", "main", "after", "t", "1", "before"}}));
}

TEST_F(Migrations, keep_a_version_whenever_the_text_changes_and_only_then) {
    sql("INSERT INTO chat_data(username, msg_id, msg_data, client_id) VALUES ('Ada', 'm1', 'one', 'c1'), ('Bob', 'm2', 'other', 'c2')");
    sql("UPDATE chat_data SET msg_data = 'two' WHERE msg_id = 'm1'");
    sql("UPDATE chat_data SET msg_data = 'two', username = 'Ada L.' WHERE msg_id = 'm1'");
    sql("UPDATE chat_data SET msg_data = 'three' WHERE msg_id = 'm1'");
    EXPECT_EQ(sql("SELECT msg_id, version, msg_data, client_id FROM chat_data_versions ORDER BY 1, 2"),
              (Table{{"m1", "1", "one", "c1"}, {"m1", "2", "two", "c1"}}));
    EXPECT_EQ(sql("SELECT msg_id, is_edited, edited_at IS NOT NULL FROM chat_data ORDER BY 1"),
              (Table{{"m1", "t", "t"}, {"m2", "f", "f"}}));
    sql("DELETE FROM chat_data WHERE msg_id = 'm1'");
    EXPECT_EQ(sql("SELECT count(*) FROM chat_data_versions"), (Table{{"0"}}));
}

// ---- the pool

class PoolTest : public DatabaseTest {
protected:
    PoolTest() { shard.start(); }
    ~PoolTest() override {
        shard.call([&] { pool.reset(); });
    }
    void open(postgres::Pool::Options options = {}) {
        shard.call([&] { pool = std::make_unique<postgres::Pool>(shard.io(), conninfo, options); });
    }
    postgres::Answer query(std::string_view text, postgres::Params params = {}, std::string_view name = "") {
        return wait_for<postgres::Answer>(shard, [&](auto done) { pool->query({name, text}, std::move(params), std::move(done)); });
    }
    net::Shard shard{"pool"};
    std::unique_ptr<postgres::Pool> pool;
};

TEST_F(PoolTest, passes_texts_and_nulls_as_they_are) {
    open();
    const std::string awkward = "'; DROP TABLE chat_data; -- \"$1\" \\ \xE2\x82\xAC";
    for (const auto* name : {"", "echo", "echo"}) {
        const auto rows = query("SELECT $1::text, $2::text, $2::text IS NULL", {awkward, std::nullopt}, name);
        ASSERT_TRUE(rows) << rows.error().message;
        ASSERT_EQ(rows->size(), 1u);
        EXPECT_EQ(rows->value(0, 0), awkward);
        EXPECT_EQ(rows->value(0, 1), std::nullopt);
        EXPECT_TRUE(rows->flag(0, 2));
    }
}

TEST_F(PoolTest, says_by_the_code_whether_the_database_said_no_or_is_not_there) {
    open();
    query("INSERT INTO chat_data(username, msg_id, msg_data) VALUES ('Ada', 'm1', 'x')");
    const auto twice = query("INSERT INTO chat_data(username, msg_id, msg_data) VALUES ('Ada', 'm1', 'x')");
    ASSERT_FALSE(twice);
    EXPECT_EQ(std::pair(twice.error().code, twice.error().sqlstate), std::pair(base::ErrorCode::conflict, std::string{"23505"}));
    EXPECT_EQ(query("SELECT $1::int", {"x"}).error().code, base::ErrorCode::invalid_parameter_value);
    EXPECT_EQ(query("SELECT * FROM nowhere").error().sqlstate, "42P01");
    EXPECT_EQ(query("SELECT $1::text", {std::string{"a\0b", 3}}).error().code, base::ErrorCode::invalid_parameter_value);
    EXPECT_EQ(query("SELECT pg_terminate_backend(pg_backend_pid())").error().code, base::ErrorCode::unavailable);
    EXPECT_EQ(query("SELECT 1")->text(0, 0), "1");
}

TEST_F(PoolTest, plans_anew_when_a_type_was_altered) {
    open({.connections = 1});
    query("INSERT INTO chat_data(username, msg_id, msg_data) VALUES ('Ada', 'm1', 'x')");
    EXPECT_EQ(query("SELECT room FROM chat_data", {}, "room")->text(0, 0), "main");
    sql("ALTER TABLE chat_data ALTER COLUMN room TYPE varchar(40)");
    EXPECT_EQ(query("SELECT room FROM chat_data", {}, "room").error().code, base::ErrorCode::unavailable);
    EXPECT_EQ(query("SELECT room FROM chat_data", {}, "room")->text(0, 0), "main");
}

TEST_F(PoolTest, runs_queries_in_parallel_up_to_its_bounds) {
    open({.connections = 2, .queued_max = 3});
    std::vector<std::future<postgres::Answer>> answers;
    shard.call([&] {
        for (int i = 0; i < 5; ++i) {
            std::promise<postgres::Answer> promise;
            answers.push_back(promise.get_future());
            pool->query({"", "SELECT pg_backend_pid() FROM pg_sleep(0.05)"}, {},
                        [promise = std::move(promise)](postgres::Answer answer) mutable { promise.set_value(std::move(answer)); });
        }
    });
    std::set<std::string> backends;
    int refused = 0;
    for (auto& each : answers) {
        const auto answer = each.get();
        if (answer) backends.emplace(answer->text(0, 0));
        else refused += answer.error().code == base::ErrorCode::unavailable;
    }
    EXPECT_EQ(backends.size(), 2u);
    EXPECT_EQ(refused, 2);
}

TEST_F(PoolTest, fails_at_once_while_postgres_is_away_and_is_back_with_it) {
    open();
    ASSERT_TRUE(query("SELECT 1"));
    cluster().stop();
    ASSERT_TRUE(eventually([&] { return !query("SELECT 1"); }));
    const auto away = query("SELECT 1");
    ASSERT_FALSE(away);
    EXPECT_EQ(away.error().code, base::ErrorCode::unavailable);
    ASSERT_TRUE(cluster().restart());
    EXPECT_TRUE(eventually([&] { return query("SELECT 1").has_value(); }));
}

TEST_F(PoolTest, makes_do_with_the_connections_it_is_given) {
    sql("CREATE ROLE limited LOGIN CONNECTION LIMIT 1");
    conninfo += " user=limited";
    open();
    std::vector<std::future<postgres::Answer>> answers;
    shard.call([&] {
        for (int i = 0; i < 10; ++i) {
            std::promise<postgres::Answer> promise;
            answers.push_back(promise.get_future());
            pool->query({"", "SELECT 1 FROM pg_sleep(0.02)"}, {},
                        [promise = std::move(promise)](postgres::Answer answer) mutable { promise.set_value(std::move(answer)); });
        }
    });
    // Which of the first four connections is the one is a race, so the first answers may be of an outage: there was none open yet.
    for (auto& each : answers) each.wait();
    ASSERT_TRUE(eventually([&] { return query("SELECT 1").has_value(); }));
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(query("SELECT 1")) << i;
}

TEST_F(PoolTest, gives_up_on_a_query_that_takes_too_long) {
    open({.connections = 1, .query_timeout = 100ms});
    EXPECT_EQ(query("SELECT pg_sleep(20)").error().code, base::ErrorCode::unavailable);
    EXPECT_TRUE(query("SELECT 1"));
}

TEST_F(PoolTest, can_be_destroyed_with_queries_under_way) {
    open();
    std::atomic<bool> called = false;
    shard.call([&] {
        for (int i = 0; i < 10; ++i) pool->query({"", "SELECT pg_sleep(1)"}, {}, [&](postgres::Answer) { called = true; });
    });
    shard.call([&] { pool.reset(); });
    shard.call([] {});
    EXPECT_FALSE(called);
}
