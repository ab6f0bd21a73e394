#include "connector/feeding.hpp"

#include <gtest/gtest.h>

namespace connector {
namespace {

using namespace postgres::pgoutput;
using Kind = postgres::pgoutput::Column::Kind;
using protocol::MessageAction;

postgres::pgoutput::Column text(std::string_view text) { return {Kind::text, text}; }
const postgres::pgoutput::Column null{Kind::null, {}}, toast{Kind::unchanged_toast, {}};

const connector::Relation relation{"public", "note", {{"id", 23, true}, {"room", 25, true}, {"body", 25, true}}};
const Committed committed{.place = {0x10, 2}, .time_us = 1'700'000'000'123'456, .xid = 7};

Feeding feeding(Feed feed) {
    feed.table = "note";
    return Feeding::make(feed, "note", relation, {"id"}).value();
}
Tuple row(std::string_view id, std::string_view room, std::string_view body) { return {text(id), text(room), text(body)}; }

/// "channel action serial data" of each message.
std::vector<std::string> summary(const base::Result<std::vector<Told>>& told) {
    std::vector<std::string> all;
    for (const auto& [channel, messages, rows] : told.value()) {
        for (const auto& each : messages) {
            all.push_back(fmt::format("{} {} {} {}", channel, each.action ? static_cast<int>(*each.action) : -1, each.serial,
                                      std::get<std::string>(each.data)));
        }
    }
    return all;
}
using Texts = std::vector<std::string>;
const std::string serial_1 = "rpublic.note.i8000000000000001", serial_2 = "rpublic.note.i8000000000000002";

}  // namespace

TEST(Feeding, sends_a_row_to_the_channel_that_its_columns_name) {
    const auto rooms = feeding({.channel = "room:{room}"});
    EXPECT_EQ(summary(rooms.tell(Insert{1, row("1", "a", "x")}, committed)),
              (Texts{R"(room:a -1  {"table":"note","type":"INSERT","row":{"id":1,"room":"a","body":"x"}})"}));
    EXPECT_EQ(rooms.tell(Insert{1, {text("1"), null, null}}, committed).error().code, base::ErrorCode::invalid_channel_name);
}

TEST(Feeding, of_a_row_that_moves_is_a_delete_there_and_an_insert_here) {
    const auto rooms = feeding({.channel = "room:{room}", .deletes = false});
    EXPECT_EQ(summary(rooms.tell(Update{1, row("1", "a", "x"), false, row("1", "b", "y")}, committed)),
              (Texts{R"(room:a -1  {"table":"note","type":"DELETE","row":{"id":1,"room":"a","body":"x"}})",
                     R"(room:b -1  {"table":"note","type":"INSERT","row":{"id":1,"room":"b","body":"y"}})"}));
    EXPECT_EQ(summary(rooms.tell(Update{1, row("1", "a", "x"), false, row("1", "a", "y")}, committed)),
              (Texts{R"(room:a -1  {"table":"note","type":"UPDATE","row":{"id":1,"room":"a","body":"y"}})"}));
}

TEST(Feeding, of_a_row_that_moves_to_or_from_nowhere_is_told_where_it_can_be) {
    const auto rooms = feeding({.channel = "room:{room}"});
    const Tuple nowhere{text("1"), null, text("x")};
    EXPECT_EQ(summary(rooms.tell(Update{1, row("1", "a", "x"), false, nowhere}, committed)),
              (Texts{R"(room:a -1  {"table":"note","type":"DELETE","row":{"id":1,"room":"a","body":"x"}})"}));
    EXPECT_EQ(summary(rooms.tell(Update{1, nowhere, false, row("1", "b", "x")}, committed)),
              (Texts{R"(room:b -1  {"table":"note","type":"INSERT","row":{"id":1,"room":"b","body":"x"}})"}));
    EXPECT_FALSE(rooms.tell(Update{1, nowhere, false, nowhere}, committed));
}

TEST(Feeding, has_only_the_columns_that_are_allowed) {
    const auto some = feeding({.channel = "room:{room}", .columns = {"body", "id"}});
    EXPECT_EQ(summary(some.tell(Update{1, row("1", "a", "x"), false, row("1", "a", "y")}, committed)),
              (Texts{R"(room:a -1  {"table":"note","type":"UPDATE","row":{"id":1,"body":"y"}})"}));
    EXPECT_EQ(summary(some.tell(Delete{1, row("1", "a", "x"), false}, committed)),
              (Texts{R"(room:a -1  {"table":"note","type":"DELETE","row":{"id":1,"body":"x"}})"}));
}

TEST(Feeding, as_a_change_has_both_rows_and_the_transaction) {
    const auto changes = feeding({.channel = "notes", .payload = Payload::change});
    const auto told = changes.tell(Update{1, row("1", "a", "x"), false, row("1", "a", "y")}, committed).value();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].messages.at(0),
              (protocol::Message{.id = "0000000000000010-00000002", .name = "note", .encoding = "json",
                                 .data = R"({"table":"note","schema":"public","type":"UPDATE","new":{"id":1,"room":"a","body":"y"},)"
                                         R"("old":{"id":1,"room":"a","body":"x"},"changed":["body"],)"
                                         R"("committed":"2023-11-14T22:13:20.123456Z","lsn":"0/10","xid":7})",
                                 .timestamp = 1'700'000'000'123}));
}

TEST(Feeding, as_a_message_is_created_updated_and_deleted_by_the_same_serial) {
    const auto rows = feeding({.channel = "notes", .payload = Payload::message});
    EXPECT_EQ(summary(rows.tell(Insert{1, row("1", "a", "x")}, committed)),
              (Texts{"notes 0 " + serial_1 + R"( {"id":1,"room":"a","body":"x"})"}));
    EXPECT_EQ(summary(rows.tell(Update{1, std::nullopt, false, row("1", "a", "y")}, committed)),
              (Texts{"notes 1 " + serial_1 + R"( {"id":1,"room":"a","body":"y"})"}));
    EXPECT_EQ(summary(rows.tell(Delete{1, row("1", "a", "y"), false}, committed)),
              (Texts{"notes 2 " + serial_1 + R"( {"id":1,"room":"a","body":"y"})"}));
    EXPECT_TRUE(rows.tell(Insert{1, row("1", "a", "x")}, committed)->at(0).rows);
}

TEST(Feeding, as_a_message_that_gets_another_key_is_deleted_and_created_in_one) {
    const auto rows = feeding({.channel = "notes", .payload = Payload::message});
    const auto told = rows.tell(Update{1, row("1", "a", "x"), false, row("2", "a", "x")}, committed);
    EXPECT_EQ(summary(told), (Texts{"notes 2 " + serial_1 + R"( {"id":1,"room":"a","body":"x"})",
                                     "notes 0 " + serial_2 + R"( {"id":2,"room":"a","body":"x"})"}));
    ASSERT_EQ(told->size(), 1u);
    EXPECT_EQ(told->at(0).messages[0].id, "0000000000000010-00000002:0");
    EXPECT_EQ(told->at(0).messages[1].id, "0000000000000010-00000002:1");
}

TEST(Feeding, as_a_message_names_the_long_texts_that_nobody_has) {
    const auto rows = feeding({.channel = "notes", .payload = Payload::message});
    const auto told = rows.tell(Update{1, std::nullopt, false, {text("1"), text("a"), toast}}, committed).value();
    EXPECT_EQ(told[0].messages[0].extras.text, R"({"headers":{"unchanged":"body"}})");
    EXPECT_EQ(std::get<std::string>(told[0].messages[0].data), R"({"id":1,"room":"a"})");
    const auto filled = rows.tell(Update{1, row("1", "a", "long"), false, {text("1"), text("b"), toast}}, committed).value();
    EXPECT_EQ(std::get<std::string>(filled[0].messages[0].data), R"({"id":1,"room":"b","body":"long"})");
}

TEST(Feeding, does_not_guess_when_a_column_is_not_there) {
    EXPECT_FALSE(Feeding::make({.table = "note", .channel = "x:{gone}"}, "note", relation, {"id"}));
    EXPECT_FALSE(Feeding::make({.table = "note", .channel = "x", .payload = Payload::message}, "note", relation, {"gone"}));
    EXPECT_EQ(feeding({.channel = "x"}).tell(Insert{1, {text("1")}}, committed).error().code, base::ErrorCode::internal_error);
}

}  // namespace connector
