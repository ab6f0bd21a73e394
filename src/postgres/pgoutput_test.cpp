#include "postgres/pgoutput.hpp"

#include <random>

#include <gtest/gtest.h>

#include "postgres/pgoutput.test.hpp"

namespace postgres::pgoutput {
namespace {

struct Case {
    std::string bytes;
    Message message;
};

Column text(std::string_view value) { return {Column::Kind::text, value}; }
const Column null{Column::Kind::null, {}};
const Column toast{Column::Kind::unchanged_toast, {}};

std::vector<Case> cases() {
    return {
        {Bytes('B').i64(0x16'B374D848).i64(7'000'000).i32(731), Begin{{0x16'B374D848}, 7'000'000, 731}},
        {Bytes('C').i8(0).i64(0x10).i64(0x40).i64(8), Commit{{0x10}, {0x40}, 8}},
        {Bytes('O').i64(0x99).text("upstream"), Origin{{0x99}, "upstream"}},
        {Bytes('R').i32(16'385).text("public").text("chat_data").c('f').i16(2)
             .i8(1).text("id").i32(20).i32(-1).i8(0).text("msg").i32(25).i32(4),
         Relation{16'385, "public", "chat_data", 'f', {{true, "id", 20, -1}, {false, "msg", 25, 4}}}},
        {Bytes('Y').i32(600).text("public").text("mood"), Type{600, "public", "mood"}},
        {Bytes('I').i32(5).c('N').i16(3).column("1").c('n').column(""), Insert{5, {text("1"), null, text("")}}},
        {Bytes('I').i32(5).c('N').i16(1).c('b').i32(2).raw("\x01\x02"), Insert{5, {{Column::Kind::binary, "\x01\x02"}}}},
        {Bytes('U').i32(5).c('N').i16(2).column("1").c('u'), Update{5, std::nullopt, false, {text("1"), toast}}},
        {Bytes('U').i32(5).c('K').i16(1).column("1").c('N').i16(1).column("2"), Update{5, Tuple{text("1")}, true, {text("2")}}},
        {Bytes('U').i32(5).c('O').i16(1).column("a").c('N').i16(1).column("b"), Update{5, Tuple{text("a")}, false, {text("b")}}},
        {Bytes('D').i32(5).c('K').i16(2).column("1").c('n'), Delete{5, {text("1"), null}, true}},
        {Bytes('D').i32(5).c('O').i16(1).column("1"), Delete{5, {text("1")}, false}},
        {Bytes('T').i32(2).i8(3).i32(5).i32(6), Truncate{true, true, {5, 6}}},
        {Bytes('M').i8(1).i64(0x77).text("audit").i32(3).raw({"a\0b", 3}), LogicalMessage{true, {0x77}, "audit", {"a\0b", 3}}},
    };
}

bool refused(const std::string& bytes) { return !decode(bytes); }

}  // namespace

TEST(Pgoutput, decodes_every_message_of_version_1) {
    const auto all = cases();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto message = decode(all[i].bytes);
        ASSERT_TRUE(message) << i << ": " << message.error().message;
        EXPECT_EQ(*message, all[i].message) << i;
    }
}

TEST(Pgoutput, decodes_what_is_sent_between_the_pieces_of_transactions_in_progress) {
    const std::vector<std::pair<std::string, StreamMessage>> all{
        {Bytes('S').i32(731).i8(1), StreamStart{731, true}},
        {Bytes('S').i32(731).i8(0), StreamStart{731, false}},
        {Bytes('E'), StreamStop{}},
        {Bytes('c').i32(731).i8(0).i64(0x10).i64(0x40).i64(8), StreamCommit{731, {{0x10}, {0x40}, 8}}},
        {Bytes('A').i32(731).i32(733), StreamAbort{731, 733}},
    };
    for (const auto& [bytes, message] : all) {
        EXPECT_EQ(decode_stream(bytes), (Result<StreamMessage>{message})) << bytes[0];
        EXPECT_TRUE(is_stream_message(bytes[0]));
        for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_stream(bytes.substr(0, size))) << bytes[0];
        EXPECT_FALSE(decode_stream(bytes + '\0')) << bytes[0];
    }
}

TEST(Pgoutput, decodes_into_the_memory_of_the_row_before) {
    Decoder decoder;
    const std::string row = Bytes('I').i32(5).c('N').i16(3).column("1").c('n').column("three");
    const std::string begin = Bytes('B').i64(1).i64(2).i32(3);
    const auto* const memory = std::get<Insert>(**decoder.decode(row)).row.data();
    EXPECT_EQ(**decoder.decode(begin), (Message{Begin{{1}, 2, 3}}));
    EXPECT_FALSE(decoder.decode("?"));
    const auto again = decoder.decode(row);
    EXPECT_EQ(**again, (Message{Insert{5, {text("1"), null, text("three")}}}));
    EXPECT_EQ(std::get<Insert>(**again).row.data(), memory);
}

TEST(Pgoutput, encodes_the_ends_of_a_transaction_as_they_are_decoded) {
    const Begin begin{{0x16'B374D848}, -7, 731};
    const Commit commit{{0x16'B374D848}, {0x16'B374D900}, 1'000'000};
    EXPECT_EQ(decode(encode(begin)), (Result<Message>{begin}));
    EXPECT_EQ(decode(encode(commit)), (Result<Message>{commit}));
}

TEST(Pgoutput, refuses_a_message_cut_short_anywhere_or_with_bytes_after_it) {
    for (const auto& each : cases()) {
        for (std::size_t size = 0; size < each.bytes.size(); ++size) {
            EXPECT_TRUE(refused(each.bytes.substr(0, size))) << each.bytes[0] << " at " << size;
        }
        EXPECT_TRUE(refused(each.bytes + '\0')) << each.bytes[0];
    }
}

TEST(Pgoutput, refuses_what_it_does_not_know) {
    EXPECT_EQ(decode("Z").error(), (Error{ErrorCode::invalid_body, "pgoutput: no message of type 0x5a is known"}));
    EXPECT_EQ(decode("").error().code, ErrorCode::invalid_body);
    EXPECT_TRUE(refused(Bytes('I').i32(5).c('X').i16(0)));                           // a tuple of an unknown kind
    EXPECT_TRUE(refused(Bytes('I').i32(5).c('N').i16(1).c('z')));                    // a column of an unknown kind
    EXPECT_TRUE(refused(Bytes('I').i32(5).c('N').i16(-1)));                          // fewer than none
    EXPECT_TRUE(refused(Bytes('I').i32(5).c('N').i16(1).c('t').i32(-1)));            // shorter than empty
    EXPECT_TRUE(refused(Bytes('I').i32(5).c('N').i16(1).c('t').i32(0x7FFFFFFF)));    // longer than the message
    EXPECT_TRUE(refused(Bytes('T').i32(0x7FFFFFFF).i8(0)));
}

TEST(Pgoutput, survives_any_change_of_any_bytes) {
    std::minstd_rand random{20'240'601};
    const auto all = cases();
    std::size_t decoded = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = all[random() % all.size()].bytes;
        for (auto flips = random() % 4 + 1; flips > 0; --flips) bytes[random() % bytes.size()] = static_cast<char>(random());
        decoded += decode(bytes).has_value();
    }
    EXPECT_GT(decoded, 0u);
    EXPECT_LT(decoded, 20'000u);
}

}  // namespace postgres::pgoutput
