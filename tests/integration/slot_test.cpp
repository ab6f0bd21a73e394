// The slot: kept moving, watched, waited for, and not gone on from in silence when it is not what it was.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "connector_subject.hpp"

using namespace integration;

namespace {

class SlotTest : public ConnectorTest {
protected:
    void wait_until_free() {
        ASSERT_TRUE(eventually([&] { return client("SELECT 1 FROM pg_replication_slots WHERE active").empty(); }));
    }
    static Config recreating(Config config) {
        config.recreate_slot = true;
        return config;
    }
};

}  // namespace

TEST_F(SlotTest, tells_how_far_it_is_behind_and_since_when) {
    Subject subject{config(0ms)};
    ASSERT_TRUE(subject.waits_until_caught_up());
    subject.hold();
    client("INSERT INTO note VALUES (1, 'a')");
    client("CREATE TABLE elsewhere AS SELECT generate_series(1, 10000)");
    ASSERT_TRUE(eventually([&] { return subject.status().lag_bytes > 100'000 && subject.status().lag > 1s; }));
    EXPECT_EQ(subject.status().state, State::streaming);
    EXPECT_EQ(subject.status().wal_status, "reserved");
    EXPECT_EQ(subject.status().changes, 0u);
    subject.release();
    ASSERT_TRUE(eventually([&] { return subject.status().lag_bytes == 0; }));
    EXPECT_EQ(subject.status().lag, 0ms);
    EXPECT_EQ(subject.status().changes, 1u);
    const auto end = end_of_wal();
    client("CREATE TABLE more AS SELECT generate_series(1, 10000)");
    EXPECT_TRUE(eventually([&] { return subject.status().confirmed > end; }));
}

TEST_F(SlotTest, an_idle_server_is_not_written_to_for_ever) {
    Subject subject{config()};
    ASSERT_TRUE(subject.waits_until_caught_up());
    ASSERT_TRUE(eventually([&] { return subject.status().lag_bytes == 0; }));
    const auto before = end_of_wal();
    client("SELECT pg_sleep(3)");
    EXPECT_LT(end_of_wal().value - before.value, base::limits::unstored_wal_bytes_max);
}

TEST_F(SlotTest, a_second_connector_stands_by_and_goes_on_within_seconds_of_the_firsts_kill_9) {
    // The first is a process of its own: only then can it be killed.
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        net::Shard shard{"first"};
        shard.start();
        const auto deaf = [](const std::string&, broker::Draft, Subject::Done done) { done({}); };
        std::unique_ptr<Connector> first;
        shard.call([&] {
            connector::Events events{.sink = deaf, .on_start = [](auto&, auto) {}, .on_caught_up = [] {}, .on_state = [](auto, auto&) {}};
            first = std::make_unique<Connector>(shard.io(), config(), std::move(events));
        });
        for (;;) ::pause();
    }
    ASSERT_TRUE(eventually([&] { return !client("SELECT 1 FROM pg_replication_slots WHERE active").empty(); }));
    Subject second{config()};
    ASSERT_TRUE(second.waits_for(State::standby));
    EXPECT_TRUE(second.reason().contains("is active for PID")) << second.reason();
    client("INSERT INTO note VALUES (1, 'a')");
    const auto killed = std::chrono::steady_clock::now();
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_TRUE(second.waits_for(State::streaming));
    EXPECT_LT(std::chrono::steady_clock::now() - killed, 5s);
    ASSERT_TRUE(second.waits_for(1));
    EXPECT_EQ(second.data(), (Texts{note("INSERT", 1, "a")})) << "which was not confirmed for the window, so the second has it too";
}

TEST_F(SlotTest, that_somebody_made_anew_under_its_name_is_noticed) {
    {
        Subject first{config(0ms)};
        wait_until_ready(first);
        client("INSERT INTO note VALUES (1, 'a')");
        ASSERT_TRUE(first.waits_for(1));
    }
    wait_until_free();
    client("SELECT pg_drop_replication_slot('palimpsest')");
    client("INSERT INTO note VALUES (2, 'lost')");
    client("SELECT pg_create_logical_replication_slot('palimpsest', 'pgoutput')");
    Subject second{config(0ms)};
    ASSERT_TRUE(second.waits_for_reason("somebody made it anew or moved it")) << second.reason();
    const auto reason = second.reason();
    client(reason.substr(reason.find("SELECT pg_drop_replication_slot")));  // the way out it names
    wait_until_ready(second);
}

TEST_F(SlotTest, that_is_gone_is_made_anew_when_it_may_be_and_every_channel_starts_after_the_gap) {
    {
        Subject first{config(0ms)};
        wait_until_ready(first);
        client("INSERT INTO note VALUES (1, 'a')");
        ASSERT_TRUE(first.waits_for(1));
    }
    wait_until_free();
    client("SELECT pg_drop_replication_slot('palimpsest')");
    client("INSERT INTO note VALUES (2, 'lost')");
    const auto lost = end_of_wal();
    Subject second{recreating(config(0ms))};
    wait_until_ready(second);
    EXPECT_GE(second.starts().at("app/notes").commit_lsn, lost.value) << "whoever has heard what was before is told of a gap";
    client("INSERT INTO note VALUES (3, 'after')");
    ASSERT_TRUE(second.waits_for(1));
    EXPECT_EQ(second.data(), (Texts{note("INSERT", 3, "after")}));
}

TEST_F(SlotTest, that_is_well_is_not_made_anew_though_it_may_be) {
    {
        Subject first{config(0ms)};
        wait_until_ready(first);
    }
    wait_until_free();
    client("INSERT INTO note VALUES (1, 'meanwhile')");
    Subject second{recreating(config(0ms))};
    ASSERT_TRUE(second.waits_for(1));
    EXPECT_EQ(second.data(), (Texts{note("INSERT", 1, "meanwhile")}));
}

TEST_F(SlotTest, that_is_made_anew_begins_with_the_rows_again_when_that_is_wanted) {
    auto whole = recreating(config(0ms));
    whole.snapshot = connector::Snapshot::initial;
    {
        Subject first{whole};
        wait_until_ready(first);
        client("INSERT INTO note VALUES (1, 'a')");
        ASSERT_TRUE(first.waits_for(1));
    }
    wait_until_free();
    client("SELECT pg_drop_replication_slot('palimpsest')");
    client("INSERT INTO note VALUES (2, 'in the gap')");
    Subject second{whole};
    wait_until_ready(second);
    EXPECT_EQ(second.data(), (Texts{note("INSERT", 1, "a"), note("INSERT", 2, "in the gap")}));
}

TEST(Slot, warns_before_it_is_lost_and_afterwards_says_the_way_out) {
    TemporaryDirectory directory;
    auto cluster = postgres::PrivateCluster::start({.directory = directory.path() / "cluster",
                                                    .fsync = false,
                                                    .settings = {"max_slot_wal_keep_size=64MB", "min_wal_size=32MB", "max_wal_size=1GB"}});
    ASSERT_TRUE(cluster) << cluster.error().message;
    const auto conninfo = (*cluster)->conninfo();
    ASSERT_TRUE(postgres::migrate(conninfo));
    Client client{conninfo};
    client("CREATE TABLE filler (n int)");
    const Config config{.conninfo = conninfo, .app_id = "app", .feeds = {{.table = "chat_data", .channel = "chat"}}};
    const auto fill = [&] {
        client("INSERT INTO filler VALUES (1)");
        client("SELECT pg_switch_wal()");
    };
    {
        Subject first{config};
        ASSERT_TRUE(first.waits_for(State::streaming)) << first.reason();
        first.hold();
        client("INSERT INTO chat_data (msg_id, username, msg_data) VALUES ('1', 'ann', 'held')");
        ASSERT_TRUE(first.waits_for(1));
        const auto safe = [&] { return first.status().safe_wal_bytes.value_or(0); };
        ASSERT_TRUE(eventually([&] { return safe() > 0; }));
        ASSERT_TRUE(eventually([&] {
            const auto before = first.status().lag_bytes;
            fill();  // it is lost at a checkpoint, and there is none yet
            EXPECT_TRUE(eventually([&] { return first.status().lag_bytes > before; }));
            return first.status().wal_status == "unreserved" || safe() < (64 << 20) / 5;
        }));
    }
    ASSERT_TRUE(eventually([&] {
        fill();
        client("CHECKPOINT");
        return client("SELECT wal_status FROM pg_replication_slots") == Table{{"lost"}};
    }));
    {
        Subject second{config};
        ASSERT_TRUE(second.waits_for_reason("start once with --recreate-slot")) << second.reason();
    }
    auto may = config;
    may.recreate_slot = true;
    Subject third{may};
    ASSERT_TRUE(third.waits_for(State::streaming)) << third.reason();
}
