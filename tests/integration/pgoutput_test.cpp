// Everything that pgoutput can send, as Postgres 15 sends it: one change after the other through the connector.

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include "connector/connector.hpp"
#include "postgres/lsn.hpp"
#include "support.hpp"

using namespace integration;
using broker::WalPlace;
using connector::Config;
using connector::State;

namespace {

using Texts = std::vector<std::string>;

/// A connector on a shard of its own, whose sink writes down what it is given and acknowledges it unless it holds back.
class Listener {
public:
    struct Change {
        std::string address;
        WalPlace place;
        std::string data;
        friend bool operator==(const Change&, const Change&) = default;
    };
    using Done = std::move_only_function<void(base::Result<void>)>;

    /// `read()` on the shard.
    template <class Read>
    auto look(Read read) {
        std::invoke_result_t<Read> result{};
        shard_.call([&] { result = read(); });
        return result;
    }
    explicit Listener(Config config, bool keeping = true) : keeping_(keeping) {
        shard_.start();
        shard_.call([&] { connector_ = std::make_unique<connector::Connector>(shard_.io(), std::move(config), events()); });
        EXPECT_TRUE(eventually([&] { return look([&] { return state_ == State::streaming; }); })) << reason();
    }
    ~Listener() {
        shard_.call([&] { connector_.reset(); });
    }
    std::size_t count() {
        return look([&] { return count_; });
    }
    /// The changes, once there are so many.
    std::vector<Change> changes(std::size_t wanted) {
        EXPECT_TRUE(eventually([&] { return count() >= wanted; })) << count() << " of " << wanted << "; " << reason();
        return look([&] { return changes_; });
    }
    Texts data(std::size_t wanted) {
        Texts all;
        for (const auto& change : changes(wanted)) all.push_back(change.data);
        return all;
    }
    std::string reason() {
        return look([&] { return reason_; });
    }
    void hold() {
        shard_.call([&] { holding_ = true; });
    }
    void release() {
        shard_.call([&] {
            holding_ = false;
            for (auto& done : std::exchange(held_, {})) done({});
        });
    }

private:
    connector::Events events() {
        return {.sink = [this](const std::string& address, broker::Draft draft, Done done) {
                    ++count_;
                    if (keeping_)
                        changes_.push_back({address, *draft.place, std::get<std::string>(draft.message.messages.at(0).data)});
                    if (holding_) held_.push_back(std::move(done));
                    else shard_.post([done = std::move(done)]() mutable { done({}); });
                },
                .on_start = [](const std::string&, WalPlace) {},
                .on_caught_up = [] {},
                .on_state =
                    [this](State state, const std::string& reason) {
                        state_ = state;
                        reason_ = reason;
                    }};
    }

    net::Shard shard_{"connector"};
    std::vector<Change> changes_;
    std::size_t count_ = 0;
    bool keeping_, holding_ = false;
    std::vector<Done> held_;
    State state_ = State::down;
    std::string reason_;
    std::unique_ptr<connector::Connector> connector_;
};

class PgoutputTest : public DatabaseTest {
protected:
    PgoutputTest() : client(conninfo) {}
    ~PgoutputTest() override {
        // A slot is the cluster's, and holds back the WAL of every test behind this one.
        eventually([&] { return Client{conninfo}("SELECT 1 FROM pg_replication_slots WHERE active").empty(); });
        Client{conninfo}("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    }
    /// Of tables that each feed the channel of their name.
    Config of(std::vector<std::string> tables) const {
        Config config{.conninfo = conninfo, .app_id = "app", .confirm_after = 1h};
        for (auto& table : tables) config.feeds.push_back({.table = table, .channel = table});
        return config;
    }
    /// A server that sends every transaction of more than a page in pieces.
    Config in_pieces(Config config) const {
        config.conninfo += " options='-c logical_decoding_work_mem=64kB'";
        return config;
    }
    int transactions_sent_in_pieces(const std::string& slot = "palimpsest") {
        const auto found = Client{conninfo}("SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = '" + slot + "'");
        return found.empty() ? 0 : std::stoi(found[0][0]);
    }
    static std::string change(std::string_view table, std::string_view type, std::string_view row) {
        return fmt::format(R"({{"table":"{}","type":"{}","row":{{{}}}}})", table, type, row);
    }

    Client client;
};

std::size_t resident_bytes() {
    std::ifstream in{"/proc/self/statm"};
    std::size_t total = 0, resident = 0;
    in >> total >> resident;
    return resident * 4'096;
}

}  // namespace

// ---- rows

TEST_F(PgoutputTest, an_update_and_a_delete_carry_what_the_replica_identity_has) {
    client("CREATE TABLE by_key (id int PRIMARY KEY, code text NOT NULL, n int);"
           "CREATE TABLE by_index (id int PRIMARY KEY, code text NOT NULL UNIQUE, n int);"
           "ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code_key;"
           "CREATE TABLE by_row (id int, code text, n int); ALTER TABLE by_row REPLICA IDENTITY FULL");
    Listener listener{of({"by_key", "by_index", "by_row"})};
    for (const std::string table : {"by_key", "by_index", "by_row"}) {
        client("INSERT INTO " + table + " VALUES (1, 'a', 1)");
        client("UPDATE " + table + " SET n = 2");             // no old row, or the whole one
        client("UPDATE " + table + " SET id = 2, code = 'b'");  // the old key, or the whole old row
        client("DELETE FROM " + table);
    }
    const auto rows = [](std::string_view table, std::string_view gone) {
        return Texts{change(table, "INSERT", R"("id":1,"code":"a","n":1)"), change(table, "UPDATE", R"("id":1,"code":"a","n":2)"),
                     change(table, "UPDATE", R"("id":2,"code":"b","n":2)"), change(table, "DELETE", gone)};
    };
    auto expected = rows("by_key", R"("id":2)");
    for (const auto& each : rows("by_index", R"("code":"b")")) expected.push_back(each);
    for (const auto& each : rows("by_row", R"("id":2,"code":"b","n":2)")) expected.push_back(each);
    EXPECT_EQ(listener.data(12), expected);
}

TEST_F(PgoutputTest, a_truncate_is_told_on_each_tables_channel_to_who_is_told_of_deletes) {
    client("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY REFERENCES parent);"
           "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);"
           "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10)");
    auto config = of({"parent", "child", "part"});
    config.feeds.push_back({.table = "parent", .channel = "new ones", .updates = false, .deletes = false});
    Listener listener{config};
    client("INSERT INTO parent VALUES (1)");
    client("TRUNCATE parent CASCADE");
    client("TRUNCATE part");
    client("INSERT INTO parent VALUES (2)");
    std::vector<std::pair<std::string, std::string>> told;
    const auto changes = listener.changes(7);
    for (const auto& each : changes) told.emplace_back(each.address, each.data);
    const auto truncated = [](const std::string& table) {
        return std::pair{"app/" + table, R"({"table":")" + table + R"(","type":"TRUNCATE"})"};
    };
    const auto insert = [](const std::string& channel, int id) {
        return std::pair{"app/" + channel, change("parent", "INSERT", fmt::format(R"("id":{})", id))};
    };
    EXPECT_EQ(told, (std::vector{insert("parent", 1), insert("new ones", 1), truncated("parent"), truncated("child"), truncated("part"),
                                 insert("parent", 2), insert("new ones", 2)}));
    EXPECT_EQ(changes[2].place.commit_lsn, changes[3].place.commit_lsn);
    EXPECT_NE(changes[2].place.index, changes[3].place.index);
}

TEST_F(PgoutputTest, an_untouched_long_value_is_filled_in_or_named_and_never_null) {
    client("CREATE TABLE brief (id int PRIMARY KEY, body text, n int); ALTER TABLE brief ALTER body SET STORAGE EXTERNAL;"
           "CREATE TABLE whole (LIKE brief INCLUDING ALL); ALTER TABLE whole REPLICA IDENTITY FULL");
    Listener listener{of({"brief", "whole"})};
    const std::string body(5'000, 'x');
    for (const std::string table : {"brief", "whole"}) {
        client("INSERT INTO " + table + " VALUES (1, '" + body + "', 1)");
        client("UPDATE " + table + " SET n = 2");
        client("UPDATE " + table + " SET id = 2");
        client("UPDATE " + table + " SET body = NULL");
    }
    EXPECT_EQ(listener.data(8),
              (Texts{change("brief", "INSERT", R"("id":1,"body":")" + body + R"(","n":1)"),
                     R"({"table":"brief","type":"UPDATE","row":{"id":1,"n":2},"unchanged":["body"]})",
                     R"({"table":"brief","type":"UPDATE","row":{"id":2,"n":2},"unchanged":["body"]})",
                     change("brief", "UPDATE", R"("id":2,"body":null,"n":2)"),
                     change("whole", "INSERT", R"("id":1,"body":")" + body + R"(","n":1)"),
                     change("whole", "UPDATE", R"("id":1,"body":")" + body + R"(","n":2)"),
                     change("whole", "UPDATE", R"("id":2,"body":")" + body + R"(","n":2)"),
                     change("whole", "UPDATE", R"("id":2,"body":null,"n":2)")}));
}

TEST_F(PgoutputTest, a_table_that_is_altered_is_followed_also_within_a_transaction_and_in_pieces) {
    client("CREATE TABLE t (id int PRIMARY KEY, a text, b int)");
    Listener listener{in_pieces(of({"t"}))};
    client("INSERT INTO t VALUES (1, 'a', 1)");
    client("ALTER TABLE t ADD COLUMN c text DEFAULT 'new'");
    client("INSERT INTO t VALUES (2, 'b', 2)");
    client("ALTER TABLE t DROP COLUMN a");
    client("BEGIN; INSERT INTO t VALUES (3, 3, 'c'); ALTER TABLE t RENAME b TO number; INSERT INTO t VALUES (4, 4, 'd');"
           "SAVEPOINT s; ALTER TABLE t ADD COLUMN undone int; INSERT INTO t VALUES (5, 5, 'e', 5); ROLLBACK TO s;"
           "ALTER TABLE t ALTER number TYPE text USING number || '!'; INSERT INTO t VALUES (6, '6', 'f'); COMMIT");
    const Texts small{change("t", "INSERT", R"("id":1,"a":"a","b":1)"),         change("t", "INSERT", R"("id":2,"a":"b","b":2,"c":"new")"),
                      change("t", "INSERT", R"("id":3,"b":3,"c":"c")"),         change("t", "INSERT", R"("id":4,"number":4,"c":"d")"),
                      change("t", "INSERT", R"("id":6,"number":"6","c":"f")")};
    EXPECT_EQ(listener.data(5), small);
    // The same with so much in between that each step is a piece of its own.
    client("BEGIN; INSERT INTO t SELECT i, i, 'x' FROM generate_series(1001, 2000) i; ALTER TABLE t RENAME number TO name;"
           "SAVEPOINT s; ALTER TABLE t ADD COLUMN undone int; INSERT INTO t SELECT i, i, 'x', i FROM generate_series(2001, 3000) i;"
           "ROLLBACK TO s; INSERT INTO t SELECT i, i, 'y' FROM generate_series(3001, 4000) i; COMMIT");
    const auto large = listener.data(2'005);
    EXPECT_EQ(large.size(), 2'005u);
    EXPECT_EQ(large[5], change("t", "INSERT", R"("id":1001,"number":"1001","c":"x")"));
    EXPECT_EQ(large[1'005], change("t", "INSERT", R"("id":3001,"name":"3001","c":"y")"));
    EXPECT_TRUE(eventually([&] { return transactions_sent_in_pieces() == 1; }));
}

TEST_F(PgoutputTest, names_are_what_they_are) {
    client(R"(CREATE SCHEMA "Odd ""schema"""; CREATE TABLE "Odd ""schema"""."Ünï ""q"" \ table" ("Id" int PRIMARY KEY, "a ""b"" \" text))");
    client("CREATE TABLE same (id int PRIMARY KEY); CREATE SCHEMA other; CREATE TABLE other.same (id int PRIMARY KEY)");
    auto config = of({});
    config.feeds = {{.schema = "Odd \"schema\"", .table = "Ünï \"q\" \\ table", .channel = "odd"},
                    {.table = "same", .channel = "public same"},
                    {.schema = "other", .table = "same", .channel = "other same"}};
    Listener listener{config};
    client(R"(INSERT INTO "Odd ""schema"""."Ünï ""q"" \ table" VALUES (1, 'x'))");
    client("INSERT INTO same VALUES (1)");
    client("INSERT INTO other.same VALUES (2)");
    const auto changes = listener.changes(3);
    EXPECT_EQ(changes[0].data, R"({"table":"Ünï \"q\" \\ table","type":"INSERT","row":{"Id":1,"a \"b\" \\":"x"}})");
    EXPECT_EQ(changes[1].address, "app/public same");
    EXPECT_EQ(changes[2].address, "app/other same");
    EXPECT_EQ(changes[2].data, change("same", "INSERT", R"("id":2)"));
}

TEST_F(PgoutputTest, the_changes_of_partitions_are_those_of_their_root) {
    client("CREATE TABLE part (id int, region text, n int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);"
           "CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu') PARTITION BY RANGE (id);"
           "CREATE TABLE part_eu_1 PARTITION OF part_eu FOR VALUES FROM (0) TO (10);"
           "CREATE TABLE part_us (n int, region text NOT NULL, id int NOT NULL)");  // its columns in another order
    client("ALTER TABLE part ATTACH PARTITION part_us FOR VALUES IN ('us')");
    Listener listener{of({"part"})};
    client("INSERT INTO part VALUES (1, 'eu', 1), (2, 'us', 2)");
    client("UPDATE part SET n = 3 WHERE id = 2");
    client("UPDATE part SET region = 'us' WHERE id = 1");  // moves
    client("DELETE FROM part_us WHERE id = 2");
    EXPECT_EQ(listener.data(6),
              (Texts{change("part", "INSERT", R"("id":1,"region":"eu","n":1)"), change("part", "INSERT", R"("id":2,"region":"us","n":2)"),
                     change("part", "UPDATE", R"("id":2,"region":"us","n":3)"), change("part", "DELETE", R"("id":1,"region":"eu")"),
                     change("part", "INSERT", R"("id":1,"region":"us","n":1)"), change("part", "DELETE", R"("id":2,"region":"us")")}));
}

TEST_F(PgoutputTest, generated_columns_are_not_sent) {
    client("CREATE TABLE g (id int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, own int GENERATED ALWAYS AS IDENTITY)");
    Listener listener{of({"g"})};
    client("INSERT INTO g (id, n) VALUES (1, 2)");
    client("UPDATE g SET n = 3");
    EXPECT_EQ(listener.data(2),
              (Texts{change("g", "INSERT", R"("id":1,"n":2,"own":1)"), change("g", "UPDATE", R"("id":1,"n":3,"own":1)")}));
}

// ---- values

TEST_F(PgoutputTest, a_value_of_each_type_is_the_json_that_the_formats_say) {
    struct Case {
        std::string type, value, json;
    };
    const std::vector<Case> cases{
        {"boolean", "true", "true"},
        {"smallint", "-32768", "-32768"},
        {"bigint", "9007199254740992", "9007199254740992"},
        {"bigint", "9007199254740993", R"("9007199254740993")"},
        {"numeric", "12.50", "12.50"},
        {"numeric", "123456789012345678.9", R"("123456789012345678.9")"},
        {"numeric", "'NaN'", R"("NaN")"},
        {"numeric", "'-Infinity'", R"("-Infinity")"},
        {"real", "1.1", "1.1"},
        {"double precision", "0.1::float8 + 0.2::float8", "0.30000000000000004"},
        {"double precision", "'Infinity'", R"("Infinity")"},
        {"money", "12.5", R"("$12.50")"},
        {"text", "E'a\\t\"\\u20ac'", R"("a\t\"€")"},
        {"char(4)", "'ab'", R"("ab  ")"},
        {"bytea", "'\\x00ff'", R"("\\x00ff")"},
        {"bit varying", "B'101'", R"("101")"},
        {"uuid", "'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'", R"("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")"},
        {"json", "'{\"a\":  1}'", R"({"a":  1})"},
        {"jsonb", "'[1, null, {\"b\": \"x\"}]'", R"([1, null, {"b": "x"}])"},
        {"date", "'2024-02-29'", R"("2024-02-29")"},
        {"date", "'infinity'", R"("infinity")"},
        {"date", "'0044-03-15 BC'", R"("0044-03-15 BC")"},
        {"date", "'12345-01-01'", R"("12345-01-01")"},
        {"time", "'01:02:03.5'", R"("01:02:03.5")"},
        {"timetz", "'01:02:03+02'", R"("01:02:03+02")"},
        {"timestamp", "'2024-05-06 07:08:09.25'", R"("2024-05-06T07:08:09.25")"},
        {"timestamptz", "'2024-05-06 07:08:09+02'", R"("2024-05-06T05:08:09+00:00")"},
        {"timestamptz", "'-infinity'", R"("-infinity")"},
        {"timestamptz", "'0044-03-15 12:00:00+00 BC'", R"("0044-03-15 12:00:00+00 BC")"},
        {"interval", "'1 year 2 days 03:04:05.6'", R"("1 year 2 days 03:04:05.6")"},
        {"int4range", "'(1,5]'", R"j("[2,6)")j"},
        {"tstzrange", "'[2024-01-01 00:00:00+00,)'", R"j("[\"2024-01-01 00:00:00+00\",)")j"},
        {"int4multirange", "'{[1,2],[5,6)}'", R"j("{[1,3),[5,6)}")j"},
        {"inet", "'10.0.0.1/8'", R"("10.0.0.1/8")"},
        {"point", "'(1,2.5)'", R"j("(1,2.5)")j"},
        {"tsvector", "'a fat cat'", R"("'a' 'cat' 'fat'")"},
        {"xml", "'<a>1</a>'", R"("<a>1</a>")"},
        {"pg_lsn", "'16/B374D848'", R"("16/B374D848")"},
        {"int[]", "'{1,NULL,3}'", "[1,null,3]"},
        {"int[]", "'[0:1]={1,2}'", "[1,2]"},
        {"int[][]", "'{{1,2},{3,4}}'", "[[1,2],[3,4]]"},
        {"text[]", R"('{a,"b,c","NULL",NULL,"q\"\\"}')", R"(["a","b,c","NULL",null,"q\"\\"])"},
        {"timestamptz[]", "ARRAY['2024-05-06 07:08:09+00'::timestamptz]", R"(["2024-05-06T07:08:09+00:00"])"},
        {"jsonb[]", "ARRAY['{\"a\": 1}'::jsonb]", R"([{"a": 1}])"},
        {"bytea[]", "ARRAY['\\x01'::bytea]", R"(["\\x01"])"},
        {"box[]", "ARRAY['(1,1),(0,0)'::box, '(3,3),(2,2)'::box]", R"j(["(1,1),(0,0)","(3,3),(2,2)"])j"},
        {"int2vector", "'1 2'", R"("1 2")"},
        // What somebody made.
        {"mood", "'so so'", R"("so so")"},
        {"mood[]", "'{happy,\"so so\"}'", R"(["happy","so so"])"},
        {"positive", "7", "7"},
        {"very_positive", "8", "8"},
        {"numbers", "'{1,2}'", "[1,2]"},
        {"positive[]", "'{1,2}'", "[1,2]"},
        {"flag", "true", "true"},
        {"pair", "ROW(1, 'a b')", R"({"n":1,"s":"a b"})"},
        {"pair[]", "ARRAY[ROW(1, 'a')::pair]", R"([{"n":1,"s":"a"}])"},
        {"span", "'[1.5,2.5)'", R"j("[1.5,2.5)")j"},
        {"int", "NULL", "null"},
    };
    client("CREATE TYPE mood AS ENUM ('happy', 'so so'); CREATE DOMAIN positive AS int CHECK (value > 0);"
           "CREATE DOMAIN very_positive AS positive; CREATE DOMAIN numbers AS int[]; CREATE DOMAIN flag AS boolean;"
           "CREATE TYPE pair AS (n int, s text); CREATE TYPE span AS RANGE (subtype = float8)");
    std::string columns, values, row = R"("id":1)";
    for (std::size_t i = 0; i < cases.size(); ++i) {
        columns += fmt::format(", c{} {}", i, cases[i].type);
        values += fmt::format(", {}", cases[i].value);
        row += fmt::format(R"(,"c{}":{})", i, cases[i].json);
    }
    client("CREATE TABLE kinds (id int PRIMARY KEY" + columns + ")");
    Listener plain{of({"kinds"})};
    // How this session likes to see values is nobody else's concern.
    client("SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'escape';"
           "SET extra_float_digits = 0");
    client("INSERT INTO kinds VALUES (1" + values + ")");
    const auto data = plain.data(1);
    ASSERT_EQ(data.size(), 1u);
    EXPECT_EQ(data[0], change("kinds", "INSERT", row));
    Client{conninfo}("SELECT $j$" + data[0] + "$j$::json");  // is JSON
}

// ---- large ones

TEST_F(PgoutputTest, a_row_too_large_for_a_message_is_told_as_an_error_with_its_key_and_holds_nothing_up) {
    client("CREATE TABLE big (id int PRIMARY KEY, body text, n int); CREATE TABLE whole (id int, body text); "
           "ALTER TABLE whole REPLICA IDENTITY FULL");
    Listener listener{of({"big", "whole"})};
    client("INSERT INTO big SELECT 1, repeat('x', 10000000), 1");
    client("UPDATE big SET body = repeat('y', 10000000)");
    client("INSERT INTO whole SELECT 2, repeat('x', 10000000)");
    client("DELETE FROM whole");
    client("INSERT INTO big VALUES (3, 'small', 3)");
    const auto data = listener.data(5);
    const auto error = [](std::string_view table, std::string_view type, int id, const std::string& more) {
        const auto bytes = change(table, type, fmt::format(R"("id":{},"body":"{}"{})", id, std::string(10'000'000, 'x'), more)).size();
        return fmt::format(R"({{"table":"{}","type":"{}","row":{{"id":{}}},"error":{{"code":40009,"message":"a change of {} bytes is )"
                           R"(larger than a message may be"}}}})",
                           table, type, id, bytes);
    };
    EXPECT_EQ(data, (Texts{error("big", "INSERT", 1, R"(,"n":1)"), error("big", "UPDATE", 1, R"(,"n":1)"),
                           error("whole", "INSERT", 2, ""), error("whole", "DELETE", 2, ""),
                           change("big", "INSERT", R"("id":3,"body":"small","n":3)")}));
}

TEST_F(PgoutputTest, a_transaction_of_more_than_100_MB_takes_little_memory) {
    client("CREATE TABLE t (id int PRIMARY KEY, body text)");
    Listener listener{of({"t"}), /*keeping=*/false};  // logical_decoding_work_mem as it is by default
    const auto before = resident_bytes();
    client("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 120000) i");
    std::size_t peak = before;
    for (std::size_t wanted = 10'000; wanted <= 120'000; wanted += 10'000) {
        ASSERT_TRUE(eventually([&] {
            peak = std::max(peak, resident_bytes());
            return listener.count() >= wanted;
        })) << listener.count();
    }
    EXPECT_EQ(listener.count(), 120'000u);
    EXPECT_TRUE(eventually([&] { return transactions_sent_in_pieces() == 1; }));
    EXPECT_LT(peak - before, 64u << 20);  // of more than 120 MB
}

// ---- transactions sent in pieces

TEST_F(PgoutputTest, what_is_rolled_back_never_appears_whether_it_was_sent_or_not) {
    client("CREATE TABLE t (id int PRIMARY KEY, body text)");
    Listener listener{in_pieces(of({"t"}))};
    const auto rows = [](int first, int last, const std::string& body) {
        return fmt::format("INSERT INTO t SELECT i, '{}' FROM generate_series({}, {}) i;", body, first, last);
    };
    client("BEGIN;" + rows(1, 2'000, "no") + "ROLLBACK");
    client("BEGIN;" + rows(1, 1'000, "yes") + "SAVEPOINT a;" + rows(1'001, 2'000, "no") + "SAVEPOINT b;" + rows(2'001, 3'000, "no") +
           "RELEASE b; ROLLBACK TO a;" + rows(1'001, 2'000, "yes") + "SAVEPOINT c;" + rows(2'001, 3'000, "yes") + "RELEASE c; COMMIT");
    client("INSERT INTO t VALUES (0, 'yes')");
    const auto data = listener.data(3'001);
    EXPECT_EQ(data.size(), 3'001u);
    for (int i = 1; i <= 3'000; ++i)
        ASSERT_EQ(data[static_cast<std::size_t>(i) - 1], change("t", "INSERT", fmt::format(R"("id":{},"body":"yes")", i)));
    EXPECT_TRUE(eventually([&] { return transactions_sent_in_pieces() == 2; }));
}

TEST_F(PgoutputTest, the_same_changes_have_the_same_ids_in_the_same_order_whether_they_were_sent_in_pieces_or_not) {
    client("CREATE TABLE t (id bigserial PRIMARY KEY, body text)");
    auto first = in_pieces(of({"t"})), second = of({"t"});
    first.slot = "in_pieces";
    second.slot = "as_a_whole";
    Listener pieces{first}, whole{second};
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::vector<std::thread> writers;
    for (unsigned writer = 0; writer < 3; ++writer) {
        writers.emplace_back([&, writer] {
            std::minstd_rand random{seed + writer};
            Client own{conninfo};
            for (int i = 0; i < 12; ++i) {
                own("BEGIN");
                for (auto steps = 1 + random() % 6; steps > 0; --steps) {
                    const auto kind = random() % 4;
                    if (kind == 0) own("SAVEPOINT s");
                    own(fmt::format("INSERT INTO t (body) SELECT repeat('{}', 20) FROM generate_series(1, {})", random() % 10,
                                    1 + random() % 800));
                    const auto some = fmt::format("WHERE id IN (SELECT id FROM t WHERE id % {} = 0 FOR UPDATE SKIP LOCKED)", 50 + random() % 50);
                    if (random() % 3 == 0) own("UPDATE t SET body = 'changed' " + some);
                    if (random() % 5 == 0) own("DELETE FROM t " + some);
                    if (kind == 0 && random() % 2 == 0) own("ROLLBACK TO s");
                }
                own(random() % 5 == 0 ? "ROLLBACK" : "COMMIT");
            }
        });
    }
    for (auto& writer : writers) writer.join();
    client("INSERT INTO t VALUES (-1, 'last')");
    const auto last = change("t", "INSERT", R"("id":-1,"body":"last")");
    for (auto* each : {&pieces, &whole}) {
        ASSERT_TRUE(eventually([&] { return each->changes(1).back().data == last; })) << each->reason();
    }
    EXPECT_TRUE(eventually([&] { return transactions_sent_in_pieces("in_pieces") > 0; }));
    EXPECT_EQ(transactions_sent_in_pieces("as_a_whole"), 0);
    const auto one = pieces.changes(1), other = whole.changes(1);
    ASSERT_EQ(one.size(), other.size());
    for (std::size_t i = 0; i < one.size(); ++i) ASSERT_EQ(one[i], other[i]) << i;
    EXPECT_TRUE(std::ranges::is_sorted(one, {}, &Listener::Change::place));
}

TEST_F(PgoutputTest, handing_on_waits_for_the_sink_while_the_server_is_answered_and_nothing_is_confirmed) {
    client("CREATE TABLE t (id int PRIMARY KEY, body text); CREATE TABLE elsewhere (n int)");
    auto config = in_pieces(of({"t"}));
    config.confirm_after = 0ms;
    Listener listener{config};
    client("ALTER SYSTEM SET wal_sender_timeout = '6s'");
    client("SELECT pg_reload_conf()");
    const auto walsender = client("SELECT pid FROM pg_stat_replication");
    listener.hold();
    client("BEGIN; INSERT INTO t SELECT i, 'x' FROM generate_series(1, 20000) i");
    ASSERT_TRUE(eventually([&] { return transactions_sent_in_pieces() == 1; }));
    EXPECT_EQ(listener.count(), 0u);
    client("COMMIT");
    client("INSERT INTO elsewhere SELECT generate_series(1, 10000)");
    const auto bound = base::limits::changes_in_flight_max;
    const auto place = listener.changes(bound).back().place;
    client("SELECT pg_sleep(8)");  // longer than the server waits for one who says nothing
    EXPECT_EQ(listener.count(), bound);
    EXPECT_EQ(client("SELECT pid FROM pg_stat_replication"), walsender);
    const auto confirmed = [&] {
        return postgres::parse_lsn(client("SELECT confirmed_flush_lsn FROM pg_replication_slots").at(0).at(0))->value;
    };
    EXPECT_LE(confirmed(), place.commit_lsn);
    listener.release();
    EXPECT_EQ(listener.changes(20'000).size(), 20'000u);
    EXPECT_TRUE(eventually([&] { return confirmed() > place.commit_lsn; }));
    client("ALTER SYSTEM RESET wal_sender_timeout");
    client("SELECT pg_reload_conf()");
}

TEST_F(PgoutputTest, a_connection_lost_while_a_transaction_is_gathered_loses_and_doubles_nothing) {
    client("CREATE TABLE t (id int PRIMARY KEY, body text)");
    auto config = in_pieces(of({"t"}));
    config.confirm_after = 0ms;
    Listener listener{config};
    client("BEGIN; INSERT INTO t SELECT i, 'x' FROM generate_series(1, 5000) i");
    ASSERT_TRUE(eventually([&] { return transactions_sent_in_pieces() == 1; }));
    Client other{conninfo};
    other("INSERT INTO t VALUES (0, 'before')");
    EXPECT_EQ(listener.data(1), (Texts{change("t", "INSERT", R"("id":0,"body":"before")")}));
    // What came before is confirmed, though the transaction is open.
    const auto end = other("SELECT pg_current_wal_flush_lsn()").at(0).at(0);
    ASSERT_TRUE(eventually([&] {
        return other("SELECT confirmed_flush_lsn >= '" + end + "' FROM pg_replication_slots") == Table{{"t"}};
    }));
    const auto walsender = other("SELECT pid FROM pg_stat_replication").at(0).at(0);
    other("SELECT pg_terminate_backend(" + walsender + ")");
    ASSERT_TRUE(eventually([&] {
        const auto now = other("SELECT pid FROM pg_stat_replication");
        return !now.empty() && now[0][0] != walsender;
    }));
    client("COMMIT");
    const auto data = listener.data(5'001);
    EXPECT_EQ(data.size(), 5'001u);
    for (int i = 1; i <= 5'000; ++i)
        ASSERT_EQ(data[static_cast<std::size_t>(i)], change("t", "INSERT", fmt::format(R"("id":{},"body":"x")", i)));
}

TEST_F(PgoutputTest, without_room_for_a_transaction_the_connector_says_so_and_has_all_of_it_once_there_is) {
    client("CREATE TABLE t (id int PRIMARY KEY, body text)");
    Listener listener{in_pieces(of({"t"}))};
    const auto before = ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{.rlim_cur = 1 << 20, .rlim_max = limit.rlim_max};  // as a full disk, for this process
    ::setrlimit(RLIMIT_FSIZE, &small);
    client("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i");
    const bool told = eventually([&] { return listener.reason().contains("cannot write a temporary file in"); });
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, before);
    EXPECT_TRUE(told) << listener.reason();
    EXPECT_EQ(listener.changes(20'000).size(), 20'000u);
}
