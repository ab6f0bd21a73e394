// What a row says is the same JSON whether it was there before the slot or came by the stream, of every type there is and whatever
// the database is set to; and what the original connector's to_json() made of types that a database has made.
#include "connector_subject.hpp"

using namespace integration;

namespace {

class ValuesTest : public ConnectorTest {
protected:
    /// Of these tables, from their rows on.
    Config of(const std::vector<std::string>& tables, const std::string& database = {}) const {
        Config made = config(0ms);
        if (!database.empty()) made.conninfo = database;
        made.snapshot = connector::Snapshot::initial;
        made.feeds.clear();
        for (const auto& table : tables) made.feeds.push_back({.table = table, .channel = table});
        return made;
    }
};

/// Tables kinds_0, kinds_1, …, with a column for each type that a column can have, and a row 1 with a value of each, where one of a
/// few literals is one.
constexpr auto make_kinds = R"(
    CREATE FUNCTION sample(t oid) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        kind pg_type%ROWTYPE;
        literal text;
        result text;
    BEGIN
        SELECT * INTO kind FROM pg_type WHERE oid = t;
        IF kind.typtype = 'e' THEN RETURN (SELECT enumlabel FROM pg_enum WHERE enumtypid = t ORDER BY enumsortorder LIMIT 1); END IF;
        IF kind.typtype = 'd' THEN
            result := as_text(quote_literal(sample(kind.typbasetype)), t);
            IF result IS NOT NULL THEN RETURN result; END IF;
        END IF;
        IF kind.typtype = 'c' THEN
            RETURN (SELECT 'ROW(' || string_agg(coalesce(quote_literal(CASE WHEN attnum % 3 > 0 THEN sample(atttypid) END), 'NULL') || '::' ||
                                                format_type(atttypid, NULL), ',' ORDER BY attnum) || ')'
                    FROM pg_attribute WHERE attrelid = kind.typrelid AND attnum > 0 AND NOT attisdropped);
        END IF;
        IF kind.typoutput = 'array_out'::regproc THEN
            result := sample(kind.typelem);
            IF (SELECT typtype FROM pg_type WHERE oid = kind.typelem) = 'c' THEN result := as_text(result, kind.typelem); END IF;
            IF result IS NULL THEN RETURN NULL; END IF;
            EXECUTE format('SELECT ARRAY[%L, NULL, %L]::%s', result, result, format_type(t, NULL)) INTO result;
            RETURN result;
        END IF;
        FOREACH literal IN ARRAY ARRAY['1', '12.5', 't', 'a "b", (c) {d} \e', '2024-05-06 07:08:09.5+00', '01:02:03', '127.0.0.1', '(1,2)',
            '(1,2),(3,4)', '[(1,2),(3,4)]', '((1,2),(3,4))', '<(1,2),3>', '{1,2,3}', '[1,2)', '[2024-01-01,2024-02-01)', '{[1,2)}',
            '{[2024-01-01,2024-02-01)}', '08:00:2b:01:02:03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": [1]}', '"a"=>"b \"c\"", "d"=>NULL',
            '16/B374D848', '10:20:10,14', 'postgres=r/postgres', 'simple', 'int4', 'pg_class', 'now', 'YES'] LOOP
            BEGIN
                EXECUTE format('SELECT %L::%s', literal, format_type(t, NULL)) INTO result;
                IF result IS NOT NULL THEN RETURN result; END IF;
            EXCEPTION WHEN others THEN NULL;
            END;
        END LOOP;
        RETURN NULL;
    END $$;
    CREATE FUNCTION as_text(expression text, t oid) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        result text;
    BEGIN
        EXECUTE format('SELECT (%s)::%s', expression, format_type(t, NULL)) INTO result;
        RETURN result;
    EXCEPTION WHEN others THEN RETURN NULL;
    END $$;
    CREATE FUNCTION make_kinds() RETURNS int LANGUAGE plpgsql AS $$
    DECLARE
        kind record;
        value text;
        place text;
        made int := 0;
    BEGIN
        FOR kind IN SELECT oid, typtype, format_type(oid, NULL) AS name FROM pg_type WHERE typtype IN ('b', 'c', 'd', 'e', 'r', 'm') ORDER BY oid LOOP
            BEGIN
                place := 'kinds_' || made / 40;
                IF made % 40 = 0 THEN EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY)', place); END IF;
                EXECUTE format('ALTER TABLE %I ADD COLUMN %I %s', place, 'c' || kind.oid, kind.name);
                value := sample(kind.oid);
                IF kind.typtype = 'c' THEN value := as_text(value, kind.oid); END IF;
                IF value IS NULL THEN RAISE 'none'; END IF;
                EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT %L', place, 'c' || kind.oid, value);
                made := made + 1;
            EXCEPTION WHEN others THEN NULL;
            END;
        END LOOP;
        RETURN made;
    END $$;
)";

/// What a database may make of all that.
constexpr auto made_types = R"(
    CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext;
    CREATE DOMAIN pos AS int; CREATE DOMAIN rating AS pos; CREATE DOMAIN flag AS boolean; CREATE DOMAIN flag2 AS flag;
    CREATE DOMAIN ints AS int[]; CREATE DOMAIN ints2 AS ints; CREATE DOMAIN doc AS jsonb; CREATE DOMAIN docs AS doc[];
    CREATE DOMAIN stamp AS timestamptz; CREATE DOMAIN boxes AS box[]; CREATE DOMAIN label AS hstore; CREATE DOMAIN ratings AS rating[];
    CREATE TYPE _odd AS ENUM ('{a,b}', 'c'); CREATE DOMAIN _odd2 AS _odd; CREATE DOMAIN _odds AS _odd[];
    CREATE TYPE int4 AS ENUM ('(1,2)', 'x');
    CREATE TYPE "Sp ace" AS (n rating, "a ""b""" text, at stamp, list ints2, tags hstore, kind _odd);
    CREATE TYPE _nested AS (one "Sp ace", many "Sp ace"[], doc doc); CREATE DOMAIN nested2 AS _nested;
    CREATE TYPE span AS RANGE (subtype = float8); CREATE TYPE empty AS ();
    CREATE TABLE fact (a int, dropped text, b numeric[]); ALTER TABLE fact DROP COLUMN dropped)";

std::string as_row_1(std::string text) {
    if (const auto at = text.find(R"("id":2)"); at != text.npos) text[at + 5] = '1';
    return text;
}

}  // namespace

TEST_F(ValuesTest, of_every_type_are_the_same_by_the_snapshot_and_by_the_stream) {
    client("SET timezone = 'UTC'");
    client(made_types);
    client(make_kinds);
    const auto kinds = std::stoi(client("SELECT make_kinds()")[0][0]);
    EXPECT_GT(kinds, 400) << "of some 600 types, those of a column";
    std::vector<std::string> tables;
    for (int i = 0; i * 40 < kinds; ++i) tables.push_back("kinds_" + std::to_string(i));
    std::ranges::sort(tables);
    for (const auto& table : tables) client("INSERT INTO " + table + " (id) VALUES (1)");
    Subject subject{of(tables)};
    wait_until_ready(subject);
    const auto before = subject.data();
    ASSERT_EQ(before.size(), tables.size());
    for (const auto& table : tables) client("INSERT INTO " + table + " (id) VALUES (2)");
    ASSERT_TRUE(subject.waits_for(2 * tables.size()));
    const auto all = subject.data();
    for (std::size_t i = 0; i < tables.size(); ++i) EXPECT_EQ(before[i], as_row_1(all[tables.size() + i]));

    // Of what the database has made, row for row what the original sent, but for what docs/formats.md says.
    const auto made = client(R"(SELECT format_type(oid, NULL), 'c' || oid FROM pg_type
        WHERE oid >= 16384 AND typtype IN ('b', 'c', 'd', 'e', 'r', 'm') AND format_type(oid, NULL) !~ 'kinds_|hstore|gtrgm|^note' ORDER BY oid)");
    std::size_t compared = 0;
    for (const auto& row : made) {
        for (std::size_t i = 0; i < tables.size(); ++i) {
            if (client(
                    fmt::format("SELECT 1 FROM pg_attribute WHERE attrelid = '{}'::regclass AND attname = '{}'", tables[i], row[1]))
                    .empty())
                continue;
            EXPECT_EQ(client(fmt::format("SELECT to_jsonb({0}) = $j${1}$j$::jsonb->'row'->'{0}' FROM {2} WHERE id = 1", row[1],
                                         before[i], tables[i])),
                      (integration::Table{{"t"}}))
                << row[0] << " in " << before[i];
            ++compared;
        }
    }
    EXPECT_GT(compared, 50u);
}

TEST_F(ValuesTest, of_made_types_are_what_json_build_object_made_of_them) {
    client("SET timezone = 'UTC'");
    client(made_types);
    client(
        R"(CREATE TABLE item (id int PRIMARY KEY, h hstore, p "Sp ace", ps "Sp ace"[], r rating[], l label, n nested2, o _odd[], e empty, f fact[]))");
    const auto insert = [&](int id) {
        client(fmt::format(
            R"(INSERT INTO item VALUES ({}, '"k \"q\""=>"v", "n"=>NULL', ROW(5, 'x "y", \z', '2024-05-06 07:08:09+00', '{{1,2}}', '"a"=>"1"', '{{a,b}}'),
            ARRAY[ROW(NULL, '', NULL, NULL, NULL, NULL)::"Sp ace", NULL], '{{1,2}}', '"a"=>"1"',
            ROW(ROW(1, '(', NULL, '{{}}', '', 'c'), ARRAY[ROW(2, ')', NULL, NULL, NULL, NULL)::"Sp ace"], '{{"a": "b"}}')::_nested, '{{"{{a,b}}",c}}', ROW(),
            ARRAY[ROW(1, '{{1.5,2}}')::fact]))",
            id));
    };
    insert(1);
    Subject subject{of({"item"})};
    wait_until_ready(subject);
    insert(2);
    ASSERT_TRUE(subject.waits_for(2));
    const auto data = subject.data();
    EXPECT_EQ(data[0], as_row_1(data[1]));
    for (int id : {1, 2}) {
        EXPECT_EQ(client(fmt::format(
                      "SELECT $j${}$j$::jsonb = json_build_object('table', 'item', 'type', 'INSERT', 'row', to_json(item))::jsonb "
                      "FROM item WHERE id = {}",
                      data[static_cast<std::size_t>(id) - 1], id)),
                  (integration::Table{{"t"}}))
            << data[static_cast<std::size_t>(id) - 1];
    }
}

TEST_F(ValuesTest, of_a_type_that_was_made_while_it_streams_are_read_by_what_it_is) {
    client("INSERT INTO note VALUES (1, 'a')");
    Subject subject{of({"note"})};
    wait_until_ready(subject);
    client(
        "CREATE TYPE pair AS (n int, s text); CREATE DOMAIN pairs AS pair[]; ALTER TABLE note ADD p pairs;"
        "INSERT INTO note VALUES (2, 'b', ARRAY[ROW(1, 'x y')::pair])");
    ASSERT_TRUE(eventually([&] { return !subject.data().empty() && subject.data().back().contains(R"("id":2)"); }));
    EXPECT_EQ(subject.data().back(), R"({"table":"note","type":"INSERT","row":{"id":2,"body":"b","p":[{"n":1,"s":"x y"}]}})");
    // One that is gone again when its rows come is a text, once.
    client(
        "BEGIN; CREATE TYPE gone AS (n int); ALTER TABLE note ADD g gone; INSERT INTO note VALUES (3, 'c', NULL, ROW(1)); COMMIT;"
        "ALTER TABLE note DROP g; DROP TYPE gone; INSERT INTO note VALUES (4, 'd')");
    ASSERT_TRUE(eventually([&] { return subject.data().back().contains(R"("id":4)"); }));
}

TEST_F(ValuesTest, are_utf_8_whatever_the_encoding_of_the_database_and_of_its_clients) {
    client("CREATE DATABASE japanese TEMPLATE template0 ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'");
    client("ALTER DATABASE japanese SET client_encoding = 'EUC_CN'");
    const auto database = cluster().conninfo() + " dbname=japanese";
    ASSERT_TRUE(postgres::migrate(database)) << postgres::migrate(database).error().message;
    {
        Client own{database + " client_encoding=UTF8"};
        own("CREATE TABLE note (id int PRIMARY KEY, body text); INSERT INTO note VALUES (1, '\u65E5\u672C')");
        Subject subject{of({"note"}, database)};
        wait_until_ready(subject);
        own("INSERT INTO note VALUES (2, '\u8A9E'); SELECT palimpsest.publish('notes', 'n', '\"\u65E5\"')");
        ASSERT_TRUE(subject.waits_for(3));
        EXPECT_EQ(subject.data(), (Texts{note("INSERT", 1, "\u65E5\u672C"), note("INSERT", 2, "\u8A9E"), "\u65E5"}));
    }
    eventually([&] { return client("SELECT 1 FROM pg_replication_slots WHERE active").empty(); });
    Client{database + " client_encoding=UTF8"}("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
}

TEST_F(ValuesTest, do_not_depend_on_what_the_database_and_the_role_are_set_to) {
    for (const auto* setting :
         {"datestyle = 'German'", "intervalstyle = 'iso_8601'", "timezone = 'Asia/Tokyo'", "bytea_output = 'escape'",
          "extra_float_digits = 0", "default_transaction_read_only = on", "standard_conforming_strings = off",
          "statement_timeout = '20ms'", "idle_in_transaction_session_timeout = '20ms'"}) {
        client(fmt::format("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET {}'; END $$", [&] {
            std::string doubled;
            for (const char* each = setting; *each; ++each) doubled += *each == '\'' ? "''" : std::string{*each};
            return doubled;
        }()));
    }
    const std::shared_ptr<void> reset{
        nullptr,
        [&](void*) { client("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' RESET ALL'; END $$"); }};
    client("CREATE TABLE at (id int PRIMARY KEY, t timestamptz, i interval, b bytea, f float8)");
    const auto insert = [&](int id) {
        client(
            fmt::format("INSERT INTO at VALUES ({}, '2024-05-06 07:08:09+00', '1 day 2 hours', '\\x00ff', 0.1::float8 + 0.2)", id));
    };
    insert(1);
    Subject subject{of({"at"})};
    wait_until_ready(subject);
    insert(2);
    ASSERT_TRUE(subject.waits_for(2));
    const std::string row = R"("t":"2024-05-06T07:08:09+00:00","i":"1 day 02:00:00","b":"\\x00ff","f":0.30000000000000004}})";
    EXPECT_EQ(subject.data(), (Texts{R"({"table":"at","type":"INSERT","row":{"id":1,)" + row,
                                     R"({"table":"at","type":"INSERT","row":{"id":2,)" + row}));
}
