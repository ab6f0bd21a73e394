// The rows that were there before the slot: published first, each once, whatever happens to them and to the connector meanwhile.
#include <random>
#include <thread>

#include "connector_subject.hpp"
#include "protocol/codec.hpp"

using namespace integration;

namespace {

class SnapshotTest : public ConnectorTest {
protected:
    Config whole(std::chrono::milliseconds confirm_after = 0ms) const {
        auto made = config(confirm_after);
        made.snapshot = connector::Snapshot::initial;
        return made;
    }
    /// What a subscriber who applies everything it is told has in the end, by serial. A row that comes twice, or a change of one that it
    /// does not have, fails the test.
    class Mirror {
    public:
        void apply(const protocol::Message& message) {
            using enum protocol::MessageAction;
            const bool is_there = rows.contains(message.serial);
            if (message.action == create && is_there) ADD_FAILURE() << "doubled: " << message.serial;
            if (message.action != create && !is_there) ADD_FAILURE() << "missing: " << message.serial;
            if (message.action == remove) rows.erase(message.serial);
            else rows[message.serial] = std::get<std::string>(message.data);
        }
        std::map<std::string, std::string> rows;
    };
    std::map<std::string, std::string> truth() {
        std::map<std::string, std::string> rows;
        for (const auto& row : client("SELECT 'rpublic.note.i' || lpad(to_hex(id), 16, '0'), id, body FROM note")) {
            auto serial = row[0];
            serial.replace(serial.size() - 16, 1, "8");  // the sign, turned
            rows[serial] = fmt::format(R"({{"id":{},"body":"{}"}})", row[1], row[2]);
        }
        return rows;
    }
};

}  // namespace

TEST_F(SnapshotTest, publishes_the_rows_that_are_there_in_the_order_of_their_keys_and_then_what_changes) {
    client("INSERT INTO note SELECT i, 'x' || i FROM generate_series(1, 2500) i");
    Subject subject{whole()};
    wait_until_ready(subject);
    client("INSERT INTO note VALUES (9999, 'later')");
    ASSERT_TRUE(subject.waits_for(2501));
    const auto changes = subject.changes();
    EXPECT_EQ(changes[0].data, note("INSERT", 1, "x1"));
    EXPECT_EQ(changes[2499].data, note("INSERT", 2500, "x2500"));
    EXPECT_EQ(changes[2500].data, note("INSERT", 9999, "later"));
    EXPECT_TRUE(std::ranges::is_sorted(changes, {}, &Subject::Change::place));
    EXPECT_LT(subject.starts().at("app/notes"), changes[0].place);
    EXPECT_EQ(subject.status().snapshot_rows, 2500u);
}

TEST_F(SnapshotTest, is_of_the_fed_tables_with_their_filters_and_in_the_feeds_form) {
    client("CREATE TABLE other (a text, b uuid, secret text, PRIMARY KEY (a, b))");
    client("ALTER TABLE other REPLICA IDENTITY FULL");
    client("INSERT INTO other SELECT 'k', gen_random_uuid(), 's' FROM generate_series(1, 50)");
    client("INSERT INTO other VALUES ('no', gen_random_uuid(), 's')");
    client("INSERT INTO note VALUES (1, 'a')");
    auto two = whole();
    two.feeds.push_back({.table = "other", .channel = "other:{a}", .columns = {"b"}, .where = "a = 'k'", .payload = connector::Payload::message});
    Subject subject{two};
    wait_until_ready(subject);
    const auto messages = subject.messages();
    ASSERT_EQ(messages.size(), 51u);
    EXPECT_EQ(subject.data()[0], note("INSERT", 1, "a"));
    const auto keys = client("SELECT 'rpublic.other.tk.t' || b, json_build_object('b', b)::text FROM other WHERE a = 'k' ORDER BY b");
    for (std::size_t i = 0; i < 50; ++i) {
        EXPECT_EQ(messages[i + 1].serial, keys[i][0]);
        EXPECT_EQ(subject.changes()[i + 1].address, "app/other:k");
    }
}

TEST_F(SnapshotTest, happens_once) {
    client("INSERT INTO note VALUES (1, 'a')");
    {
        Subject first{whole()};
        wait_until_ready(first);
        EXPECT_EQ(first.data(), (Texts{note("INSERT", 1, "a")}));
    }
    Subject second{whole()};
    wait_until_ready(second);
    ASSERT_TRUE(second.waits_until_caught_up());
    EXPECT_EQ(second.data(), Texts{});
    EXPECT_GE(second.starts().at("app/notes").index, 1u) << "who has heard the row has missed nothing";
}

TEST_F(SnapshotTest, says_what_a_table_needs_for_it) {
    client("CREATE TABLE bare (n int)");
    client("ALTER TABLE bare REPLICA IDENTITY FULL");
    auto bare = whole();
    bare.feeds = {{.table = "bare", .channel = "bare"}};
    Subject subject{bare};
    EXPECT_TRUE(subject.waits_for_reason("has no primary key, which snapshot = \"initial\" needs"));
}

TEST_F(SnapshotTest, hands_in_again_what_the_sink_failed) {
    client("INSERT INTO note SELECT i, 'x' FROM generate_series(1, 300) i");
    std::vector<std::chrono::steady_clock::time_point> tries;
    Subject subject{whole(), [&](const Subject::Change& change) -> base::Result<void> {
        if (change.data != note("INSERT", 100, "x")) return {};
        tries.push_back(std::chrono::steady_clock::now());
        if (tries.size() <= 3) return base::fail(base::ErrorCode::unavailable, "away");
        return {};
    }};
    wait_until_ready(subject);
    ASSERT_EQ(tries.size(), 4u);
    for (std::size_t i = 1; i < tries.size(); ++i) EXPECT_GE(tries[i] - tries[i - 1], 50ms * (1 << (i - 1))) << "the pauses get longer";
    std::map<WalPlace, std::string> once;
    for (const auto& change : subject.changes()) EXPECT_EQ(once.try_emplace(change.place, change.data).first->second, change.data);
    EXPECT_EQ(once.size(), 300u);
}

/// Rows are inserted, updated, deleted and given other keys while they are read, and the connector is ended in the middle, again and
/// again. What it says again, it says as it did.
TEST_F(SnapshotTest, has_every_row_once_whatever_changes_meanwhile_and_however_often_it_is_cut_off) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    client("INSERT INTO note SELECT i * 10, 'x' FROM generate_series(1, 4000) i");
    std::atomic<bool> writing = true;
    std::thread writer{[&] {
        std::minstd_rand random{seed};
        Client own{conninfo};
        while (writing) {
            const auto id = random() % 45'000, other = random() % 45'000, what = random() % 4;
            if (what == 0) own(fmt::format("INSERT INTO note VALUES ({}, 'new') ON CONFLICT DO NOTHING", id));
            if (what == 1) own(fmt::format("UPDATE note SET body = body || 'y' WHERE id BETWEEN {} AND {} + 20", id, id));
            if (what == 2) own(fmt::format("DELETE FROM note WHERE id BETWEEN {} AND {} + 20", id, id));
            if (what == 3) {
                own(fmt::format("UPDATE note SET id = {} WHERE id = (SELECT id FROM note WHERE id >= {} LIMIT 1) AND NOT EXISTS "
                                "(SELECT FROM note WHERE id = {})", other, id, other));
            }
        }
    }};
    std::map<WalPlace, std::vector<protocol::Message>> heard;
    std::size_t again = 0;
    const auto hear = [&](const std::vector<broker::Draft>& drafts) {
        for (const auto& draft : drafts) {
            const auto& messages = draft.message.messages;
            const auto [known, is_new] = heard.try_emplace(*draft.place, messages);
            if (is_new) continue;
            ++again;
            EXPECT_EQ(encode_messages(protocol::Format::json, known->second), encode_messages(protocol::Format::json, messages));
        }
    };
    const auto rows = [&] {
        auto made = whole(1h);
        made.feeds[0].payload = connector::Payload::message;
        return made;
    };
    const auto done = [&] { return client("SELECT coalesce(bool_or(done), false) FROM palimpsest.snapshot") == Table{{"t"}}; };
    int cuts = 0;
    for (std::size_t until = 200; !done() && cuts < 30; ++cuts) {
        std::vector<broker::Draft> drafts;
        {
            Subject subject{rows()};
            EXPECT_TRUE(subject.waits_for(until));
            subject.end();
            drafts = subject.drafts();
        }
        EXPECT_TRUE(eventually([&] {
            return client("SELECT 1 FROM pg_stat_activity WHERE backend_type = 'walsender' OR "
                          "(query LIKE '%palimpsest%' AND state <> 'idle' AND pid <> pg_backend_pid())").empty();
        }));
        hear(drafts);
        until = 700;
    }
    EXPECT_GT(cuts, 1);
    writing = false;
    writer.join();
    client("INSERT INTO note VALUES (99999, 'last')");
    Subject last{rows()};
    ASSERT_TRUE(eventually([&] { return !last.data().empty() && last.data().back().contains("99999"); }));
    hear(last.drafts());
    EXPECT_GT(again, 0u);
    Mirror mirror;
    for (const auto& [place, messages] : heard) {
        for (const auto& message : messages) mirror.apply(message);
    }
    EXPECT_EQ(mirror.rows, truth());
}
