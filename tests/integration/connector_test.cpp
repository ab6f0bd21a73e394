#include <algorithm>
#include <random>
#include <thread>

#include "connector_subject.hpp"

using namespace integration;

TEST_F(ConnectorTest, publishes_inserts_updates_and_deletes_in_commit_order) {
    Subject subject{config()};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (1, 'one')");
    client("BEGIN; INSERT INTO note VALUES (2, 'two'), (3, 'three'); UPDATE note SET body = 'ein' WHERE id = 1; COMMIT");
    client("DELETE FROM note WHERE id = 2");
    ASSERT_TRUE(subject.waits_for(5));
    EXPECT_EQ(subject.data(), (Texts{note("INSERT", 1, "one"), note("INSERT", 2, "two"), note("INSERT", 3, "three"),
                                     note("UPDATE", 1, "ein"), note("DELETE", 2, "two")}));
    const auto changes = subject.changes();
    EXPECT_EQ(changes[0].address, "app/notes");
    std::vector<std::uint32_t> indexes;
    for (const auto& change : changes) indexes.push_back(change.place.index);
    EXPECT_EQ(indexes, (std::vector<std::uint32_t>{1, 1, 2, 3, 1}));
    EXPECT_TRUE(std::ranges::is_sorted(changes, {}, &Subject::Change::place));
}

TEST_F(ConnectorTest, never_shows_what_was_rolled_back) {
    Subject subject{config()};
    wait_until_ready(subject);
    client("BEGIN; INSERT INTO note VALUES (1, 'no'); ROLLBACK");
    client("BEGIN; INSERT INTO note VALUES (2, 'yes'); SAVEPOINT s; INSERT INTO note VALUES (3, 'no'); ROLLBACK TO s; "
           "INSERT INTO note VALUES (4, 'yes'); COMMIT");
    ASSERT_TRUE(subject.waits_for(2));
    EXPECT_EQ(subject.data(), (Texts{note("INSERT", 2, "yes"), note("INSERT", 4, "yes")}));
}

TEST_F(ConnectorTest, feeds_channels_by_operation) {
    auto by_operation = config();
    by_operation.feeds = {{.table = "note", .channel = "new", .updates = false, .deletes = false},
                          {.table = "note", .channel = "all"}};
    Subject subject{by_operation};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (1, 'a')");
    client("DELETE FROM note");
    ASSERT_TRUE(subject.waits_for(3));
    const auto changes = subject.changes();
    EXPECT_EQ(changes[0].address, "app/new");
    EXPECT_EQ(changes[1].address, "app/all");
    EXPECT_EQ(changes[2].address, "app/all");
    EXPECT_EQ(changes[0].place, changes[1].place);
    EXPECT_EQ(changes[2].data, note("DELETE", 1, "a"));
}

TEST_F(ConnectorTest, writes_values_as_json_of_their_type) {
    client("CREATE TABLE kinds (id bigint PRIMARY KEY, big bigint, n numeric, f float8, b boolean, j jsonb, t timestamptz, u uuid, "
           "a int[], nothing text)");
    auto kinds = config();
    kinds.feeds = {{.table = "kinds", .channel = "kinds"}};
    Subject subject{kinds};
    wait_until_ready(subject);
    client("SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; INSERT INTO kinds VALUES (1, 9007199254740993, 12.50, 'NaN', true, "
           "'{\"k\": [1, null]}', '2024-05-06 07:08:09.5+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{1,2}', NULL)");
    ASSERT_TRUE(subject.waits_for(1));
    EXPECT_EQ(subject.data(), (Texts{R"({"table":"kinds","type":"INSERT","row":{"id":1,"big":"9007199254740993","n":12.50,"f":"NaN",)"
                                     R"("b":true,"j":{"k": [1, null]},"t":"2024-05-06T07:08:09.5+00:00",)"
                                     R"("u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","a":[1,2],"nothing":null}})"}));
}

TEST_F(ConnectorTest, has_long_texts_that_an_update_did_not_touch_or_says_so) {
    client("CREATE TABLE brief (id int PRIMARY KEY, body text, n int)");
    client("CREATE TABLE whole (id int PRIMARY KEY, body text, n int); ALTER TABLE whole REPLICA IDENTITY FULL");
    client("ALTER TABLE brief ALTER body SET STORAGE EXTERNAL; ALTER TABLE whole ALTER body SET STORAGE EXTERNAL");
    auto both = config();
    both.feeds = {{.table = "brief", .channel = "brief"}, {.table = "whole", .channel = "whole"}};
    Subject subject{both};
    wait_until_ready(subject);
    client("INSERT INTO brief SELECT 1, repeat('x', 5000), 1; INSERT INTO whole SELECT * FROM brief");
    client("UPDATE brief SET n = 2");
    client("UPDATE whole SET n = 2");
    client("DELETE FROM brief");
    ASSERT_TRUE(subject.waits_for(5));
    const auto data = subject.data();
    EXPECT_EQ(data[2], R"({"table":"brief","type":"UPDATE","row":{"id":1,"n":2},"unchanged":["body"]})");
    EXPECT_EQ(data[3], R"({"table":"whole","type":"UPDATE","row":{"id":1,"body":")" + std::string(5'000, 'x') + R"(","n":2}})");
    EXPECT_EQ(data[4], R"({"table":"brief","type":"DELETE","row":{"id":1}})");
}

TEST_F(ConnectorTest, follows_a_table_that_is_altered) {
    Subject subject{config()};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (1, 'a')");
    client("ALTER TABLE note ADD COLUMN stars int NOT NULL DEFAULT 5");
    client("INSERT INTO note VALUES (2, 'b', 3)");
    ASSERT_TRUE(subject.waits_for(2));
    EXPECT_EQ(subject.data(),
              (Texts{note("INSERT", 1, "a"), R"({"table":"note","type":"INSERT","row":{"id":2,"body":"b","stars":3}})"}));
}

TEST_F(ConnectorTest, publishes_the_changes_of_partitions_as_their_parents) {
    client("CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    client("CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10)");
    auto parts = config();
    parts.feeds = {{.table = "part", .channel = "parts"}};
    Subject subject{parts};
    wait_until_ready(subject);
    client("INSERT INTO part VALUES (1)");
    ASSERT_TRUE(subject.waits_for(1));
    EXPECT_EQ(subject.data(), (Texts{R"({"table":"part","type":"INSERT","row":{"id":1}})"}));
}

// ---- restarts

TEST_F(ConnectorTest, publishes_what_happened_while_it_was_down) {
    { Subject first{config()}; wait_until_ready(first); }
    client("INSERT INTO note VALUES (1, 'meanwhile')");
    Subject second{config()};
    ASSERT_TRUE(second.waits_until_caught_up());
    EXPECT_EQ(second.data(), (Texts{note("INSERT", 1, "meanwhile")}));
}

TEST_F(ConnectorTest, started_again_gives_the_window_again_under_the_same_ids_from_the_same_start) {
    std::vector<Subject::Change> before;
    std::map<std::string, WalPlace> starts;
    {
        Subject first{config()};
        wait_until_ready(first);
        client("INSERT INTO note VALUES (1, 'a'), (2, 'b')");
        client("UPDATE note SET body = 'c'");
        ASSERT_TRUE(first.waits_for(4));
        before = first.changes();
        starts = first.starts();
    }
    client("INSERT INTO note VALUES (3, 'd')");
    Subject second{config()};
    ASSERT_TRUE(second.waits_until_caught_up());
    const auto after = second.changes();
    ASSERT_EQ(after.size(), 5u);
    EXPECT_EQ(std::vector(after.begin(), after.begin() + 4), before);
    EXPECT_EQ(after[4].data, note("INSERT", 3, "d"));
    EXPECT_EQ(second.starts(), starts);
    EXPECT_EQ(second.times_caught_up(), 1);
}

TEST_F(ConnectorTest, without_a_window_does_not_repeat_what_was_acknowledged_and_starts_at_the_tail) {
    WalPlace last;
    {
        Subject first{config(0ms)};
        wait_until_ready(first);
        client("INSERT INTO note VALUES (1, 'a'), (2, 'b')");
        ASSERT_TRUE(first.waits_for(2));
        last = first.changes().back().place;
        ASSERT_TRUE(eventually([&] { return confirmed().value > last.commit_lsn; }));
    }
    EXPECT_EQ(client("SELECT slot, channel, commit_lsn, change_index FROM palimpsest.channel_tail"),
              (Table{{"palimpsest", "notes", postgres::to_string(postgres::Lsn{last.commit_lsn}), "2"}}));
    client("INSERT INTO note VALUES (3, 'c')");
    Subject second{config(0ms)};
    ASSERT_TRUE(second.waits_until_caught_up());
    EXPECT_EQ(second.data(), (Texts{note("INSERT", 3, "c")}));
    EXPECT_EQ(second.starts(), (std::map<std::string, WalPlace>{{"app/notes", last}}));
}

TEST_F(ConnectorTest, confirms_a_window_late_and_then_with_the_tail) {
    Subject subject{config(2s)};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (1, 'a')");
    ASSERT_TRUE(subject.waits_for(1));
    const auto committed = subject.changes()[0].place.commit_lsn;
    EXPECT_LE(confirmed().value, committed);
    EXPECT_TRUE(eventually([&] { return confirmed().value > committed; }));
    EXPECT_EQ(client("SELECT change_index FROM palimpsest.channel_tail"), (Table{{"1"}}));
}

TEST_F(ConnectorTest, never_confirms_what_is_not_acknowledged_however_far_the_server_is) {
    Subject subject{config(0ms)};
    wait_until_ready(subject);
    ASSERT_TRUE(subject.waits_until_caught_up());
    subject.hold();
    client("INSERT INTO note VALUES (1, 'a')");
    ASSERT_TRUE(subject.waits_for(1));
    const auto held_back = subject.changes()[0].place.commit_lsn;
    client("CREATE TABLE elsewhere AS SELECT generate_series(1, 10000)");
    client("SELECT pg_switch_wal()");
    client("INSERT INTO note VALUES (2, 'b')");
    ASSERT_TRUE(subject.waits_for(2));
    EXPECT_LE(confirmed().value, held_back);
    const auto end = end_of_wal();
    subject.release();
    EXPECT_TRUE(eventually([&] { return confirmed() >= end; })) << "then it follows, keepalives included";
}

TEST_F(ConnectorTest, lets_a_quiet_tables_slot_follow_a_busy_server) {
    Subject subject{config()};
    ASSERT_TRUE(subject.waits_until_caught_up());
    client("CREATE TABLE elsewhere AS SELECT generate_series(1, 10000)");
    const auto end = end_of_wal();
    EXPECT_TRUE(eventually([&] { return confirmed() >= end; }));
    EXPECT_EQ(subject.changes(), std::vector<Subject::Change>{});
}

// ---- when something fails

TEST_F(ConnectorTest, publishes_again_what_the_sink_failed_and_all_behind_it) {
    int failures = 3;
    Subject subject{config(), [&](const Subject::Change& change) -> base::Result<void> {
        if (change.data == note("INSERT", 2, "b") && failures-- > 0) return base::fail(base::ErrorCode::unavailable, "away");
        return {};
    }};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    client("INSERT INTO note VALUES (4, 'd')");
    ASSERT_TRUE(eventually([&] { return subject.data().size() >= 4 && subject.data().back() == note("INSERT", 4, "d"); }));
    auto data = subject.data();
    EXPECT_EQ(Texts(data.end() - 4, data.end()),
              (Texts{note("INSERT", 1, "a"), note("INSERT", 2, "b"), note("INSERT", 3, "c"), note("INSERT", 4, "d")}));
    EXPECT_EQ(std::ranges::count(data, note("INSERT", 1, "a")), 4) << "the whole transaction comes again each time";
}

TEST_F(ConnectorTest, passes_by_a_change_that_no_retry_would_help) {
    Subject subject{config(0ms), [](const Subject::Change& change) -> base::Result<void> {
        if (change.data.contains("poison")) return base::fail(base::ErrorCode::message_too_large, "too large");
        return {};
    }};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (1, 'poison')");
    client("INSERT INTO note VALUES (2, 'b')");
    ASSERT_TRUE(subject.waits_for(1));
    EXPECT_EQ(subject.data(), (Texts{note("INSERT", 2, "b")}));
    const auto last = subject.changes()[0].place.commit_lsn;
    EXPECT_TRUE(eventually([&] { return confirmed().value > last; }));
}

TEST_F(ConnectorTest, loses_nothing_through_a_restart_of_postgres_which_does_not_wait_for_it) {
    Subject subject{config()};
    wait_until_ready(subject);
    ASSERT_TRUE(eventually([&] { return !client("SELECT 1 FROM pg_stat_replication WHERE reply_time IS NOT NULL").empty(); }));
    client("INSERT INTO note VALUES (1, 'a')");
    ASSERT_TRUE(subject.waits_for(1));
    const auto began = std::chrono::steady_clock::now();
    cluster().stop();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s) << "the walsender waits for confirmations until it is let go of";
    ASSERT_TRUE(subject.waits_for(State::down));
    ASSERT_TRUE(cluster().restart());
    Client{conninfo}("INSERT INTO note VALUES (2, 'b')");
    ASSERT_TRUE(subject.waits_for(2));
    EXPECT_EQ(subject.data(), (Texts{note("INSERT", 1, "a"), note("INSERT", 2, "b")}))
        << "and repeats nothing that was acknowledged";
}

TEST_F(ConnectorTest, stops_reading_at_its_bound_and_stays_connected_however_long_the_sink_takes) {
    Client{conninfo}("ALTER SYSTEM SET wal_sender_timeout = '6s'");
    Client{conninfo}("SELECT pg_reload_conf()");
    {
        Subject subject{config()};
        wait_until_ready(subject);
        const auto walsender = client("SELECT pid FROM pg_stat_replication");
        subject.hold();
        client("INSERT INTO note SELECT i, 'x' FROM generate_series(1, 10000) i");
        const auto bound = base::limits::changes_in_flight_max;
        ASSERT_TRUE(subject.waits_for(bound));
        client("SELECT pg_sleep(7)");  // longer than the server waits for one who says nothing
        EXPECT_EQ(subject.changes().size(), bound);
        EXPECT_EQ(client("SELECT pid FROM pg_stat_replication"), walsender);
        subject.release();
        ASSERT_TRUE(subject.waits_for(10'000));
        EXPECT_EQ(subject.changes().size(), 10'000u);
    }
    Client{conninfo}("ALTER SYSTEM RESET wal_sender_timeout");
    Client{conninfo}("SELECT pg_reload_conf()");
}

TEST_F(ConnectorTest, refuses_a_table_without_replica_identity_until_it_has_one) {
    client("CREATE TABLE bare (n int)");
    auto bare = config();
    bare.feeds.push_back({.table = "bare", .channel = "bare"});
    Subject subject{bare};
    ASSERT_TRUE(subject.waits_for_reason(R"(ALTER TABLE "public"."bare" REPLICA IDENTITY FULL;)"));
    client("INSERT INTO bare VALUES (1)");
    client("UPDATE bare SET n = 2");  // was not published, and so still works
    client(R"(ALTER TABLE "public"."bare" REPLICA IDENTITY FULL;)");
    wait_until_ready(subject);
    client("UPDATE bare SET n = 3");
    ASSERT_TRUE(subject.waits_for(1));
    EXPECT_EQ(subject.data(), (Texts{R"({"table":"bare","type":"UPDATE","row":{"n":3}})"}));
}

TEST_F(ConnectorTest, waits_for_a_slot_that_another_reads) {
    auto first = std::make_unique<Subject>(config());
    wait_until_ready(*first);
    Subject second{config()};
    ASSERT_TRUE(second.waits_for_reason("is active for PID"));
    client("INSERT INTO note VALUES (1, 'a')");
    ASSERT_TRUE(first->waits_for(1));
    first.reset();
    ASSERT_TRUE(second.waits_until_caught_up());
    EXPECT_EQ(second.data(), (Texts{note("INSERT", 1, "a")}));
}

TEST_F(ConnectorTest, says_which_table_is_missing) {
    auto missing = config();
    missing.feeds = {{.table = "nowhere", .channel = "x"}};
    Subject subject{missing};
    EXPECT_TRUE(subject.waits_for_reason(R"(there is no table "public"."nowhere")"));
}

TEST_F(ConnectorTest, adds_a_fed_table_to_a_publication_that_is_there) {
    { Subject first{config()}; wait_until_ready(first); }
    client("CREATE TABLE more (id int PRIMARY KEY)");
    auto wider = config();
    wider.feeds.push_back({.table = "more", .channel = "more"});
    Subject second{wider};
    wait_until_ready(second);
    client("INSERT INTO more VALUES (1)");
    ASSERT_TRUE(second.waits_for(1));
    EXPECT_EQ(second.changes()[0].address, "app/more");
    EXPECT_EQ(client("SELECT channel FROM palimpsest.channel_tail ORDER BY 1"), (Table{{"more"}, {"notes"}}));
}

TEST_F(ConnectorTest, does_not_begin_anew_in_silence_when_its_slot_is_gone) {
    {
        Subject first{config()};
        wait_until_ready(first);
    }
    ASSERT_TRUE(eventually([&] { return client("SELECT 1 FROM pg_replication_slots WHERE active").empty(); }));
    client("SELECT pg_drop_replication_slot('palimpsest')");
    client("INSERT INTO note VALUES (1, 'lost')");
    Subject second{config()};
    ASSERT_TRUE(second.waits_for_reason("the slot palimpsest is gone"));
    EXPECT_EQ(client("SELECT count(*) FROM pg_replication_slots"), (Table{{"0"}}));
    const auto reason = second.reason();
    client(reason.substr(reason.find("DELETE FROM")));  // the way out it names
    wait_until_ready(second);
    client("INSERT INTO note VALUES (2, 'from now on')");
    ASSERT_TRUE(second.waits_for(1));
    EXPECT_EQ(second.data(), (Texts{note("INSERT", 2, "from now on")}));
}

TEST(Connector, says_the_way_out_of_a_slot_whose_wal_was_removed) {
    TemporaryDirectory directory;
    auto cluster =
        postgres::PrivateCluster::start({.directory = directory.path() / "cluster",
                                         .fsync = false,
                                         .settings = {"max_slot_wal_keep_size=1MB", "min_wal_size=32MB", "max_wal_size=32MB"}});
    ASSERT_TRUE(cluster) << cluster.error().message;
    const auto conninfo = (*cluster)->conninfo();
    ASSERT_TRUE(postgres::migrate(conninfo));
    Client client{conninfo};
    const Config config{.conninfo = conninfo, .app_id = "app", .feeds = {{.table = "chat_data", .channel = "chat"}}};
    {
        Subject first{config};
        ASSERT_TRUE(first.waits_for(State::streaming)) << first.reason();
    }
    ASSERT_TRUE(eventually([&] {
        client("CREATE TABLE IF NOT EXISTS filler (n int)");
        client("INSERT INTO filler VALUES (1)");
        client("SELECT pg_switch_wal()");
        client("CHECKPOINT");
        return client("SELECT wal_status FROM pg_replication_slots") == Table{{"lost"}};
    }));
    Subject second{config};
    ASSERT_TRUE(second.waits_for_reason("the slot palimpsest was invalidated")) << second.reason();
    const auto reason = second.reason();
    client(reason.substr(reason.find("SELECT pg_drop_replication_slot")));
    ASSERT_TRUE(second.waits_for(State::streaming)) << second.reason();
}

// ---- everything at once

/// Random transactions by several clients, with rollbacks and savepoints, while the sink fails, the walsender is killed and the
/// connector is started again. Triggers write down what Postgres did; the connector must have said the same.
TEST_F(ConnectorTest, agrees_with_the_databases_own_record_whatever_happens) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    client("CREATE TABLE record (at bigserial PRIMARY KEY, change text)");
    client("CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
           "INSERT INTO record (change) VALUES (json_build_object('type', tg_op, 'id', coalesce(new.id, old.id), 'body', "
           "CASE tg_op WHEN 'DELETE' THEN old.body ELSE new.body END)::text); RETURN NULL; END $$");
    client("CREATE TRIGGER write_down AFTER INSERT OR UPDATE OR DELETE ON note FOR EACH ROW EXECUTE FUNCTION write_down()");

    std::mutex mutex;
    std::map<WalPlace, std::string> published;  // as a broker has it: each place once
    WalPlace tail;
    std::minstd_rand sink_random{seed};
    std::optional<WalPlace> failed;
    const auto judge = [&](const Subject::Change& change) -> base::Result<void> {
        const std::lock_guard lock{mutex};
        if (failed && *failed != change.place && !published.contains(change.place))
            return base::fail(base::ErrorCode::unavailable, "behind a failed one");
        failed.reset();
        if (sink_random() % 60 == 0) {
            failed = change.place;
            return base::fail(base::ErrorCode::unavailable, "away");
        }
        if (change.place > tail) {
            tail = change.place;
            published.emplace(change.place, change.data);
        } else if (!published.contains(change.place) || published[change.place] != change.data) {
            ADD_FAILURE() << "out of order, or another change under the same id: " << to_id(change.place);
        }
        return {};
    };
    const auto begin = [&] { return std::make_unique<Subject>(config(500ms), judge); };
    auto subject = begin();
    wait_until_ready(*subject);

    std::atomic<int> working = 3;
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 3; ++writer) {
        writers.emplace_back([&, writer] {
            std::minstd_rand random{seed + 1 + static_cast<unsigned>(writer)};
            Client own{conninfo};
            for (int i = 0; i < 150; ++i) {
                std::string transaction = "BEGIN;";
                for (auto changes = random() % 5; changes > 0; --changes) {
                    const auto id = writer * 10 + static_cast<int>(random() % 10);
                    const bool undone = random() % 5 == 0;
                    if (undone) transaction += "SAVEPOINT s;";
                    if (random() % 3 == 0) transaction += fmt::format("DELETE FROM note WHERE id = {};", id);
                    else
                        transaction += fmt::format(
                            "INSERT INTO note VALUES ({0}, '{1}') ON CONFLICT (id) DO UPDATE SET body = '{1}';", id, random());
                    if (undone) transaction += "ROLLBACK TO s;";
                }
                own(transaction + (random() % 5 == 0 ? "ROLLBACK" : "COMMIT"));
            }
            --working;
        });
    }
    std::minstd_rand disaster{seed + 100};
    while (working > 0) {
        client("SELECT pg_sleep(0.05)");
        if (disaster() % 3 == 0) client("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
        if (disaster() % 8 == 0) {
            subject.reset();
            subject = begin();
        }
    }
    for (auto& writer : writers) writer.join();

    const auto expected_count = std::stoul(client("SELECT count(*) FROM record").at(0).at(0));
    EXPECT_TRUE(eventually([&] {
        const std::lock_guard lock{mutex};
        return published.size() >= expected_count;
    }));
    subject.reset();

    // Each row's changes in the order Postgres recorded them. (Between rows of different transactions the record's order is that of
    // execution and not of commit.)
    std::map<std::string, Texts> recorded, said;
    for (const auto& row : client(
             "SELECT r->>'id', (r->>'type') || ' ' || (r->>'body') FROM (SELECT at, change::json AS r FROM record) x ORDER BY at"))
        recorded[row[0]].push_back(row[1]);
    for (const auto& [place, data] : published) {
        const auto row =
            client("SELECT r->'row'->>'id', (r->>'type') || ' ' || (r->'row'->>'body') FROM (SELECT '" + data + "'::json AS r) x")
                .at(0);
        said[row[0]].push_back(row[1]);
    }
    EXPECT_EQ(said, recorded);
    EXPECT_EQ(published.size(), expected_count);
}
