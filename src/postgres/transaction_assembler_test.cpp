#include "postgres/transaction_assembler.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "postgres/pgoutput.test.hpp"

namespace postgres {
namespace {

using pgoutput::Bytes;
using Texts = std::vector<std::string>;

std::string piece(std::uint32_t xid, bool first) { return Bytes('S').i32(xid).i8(first); }
const std::string piece_end = Bytes('E');
std::string commit(std::uint32_t xid, std::uint64_t lsn) { return Bytes('c').i32(xid).i8(0).i64(lsn).i64(lsn + 8).i64(9); }
std::string abort(std::uint32_t xid, std::uint32_t subxid) { return Bytes('A').i32(xid).i32(subxid); }
std::string row(std::string_view value) { return Bytes('I').i32(5).c('N').i16(1).column(value); }
/// As it is sent in a piece.
std::string of(std::uint32_t xid, const std::string& message) { return Bytes(message[0]).i32(xid).raw(message.substr(1)); }
Texts whole(std::uint32_t xid, std::uint64_t lsn, Texts changes) {
    changes.insert(changes.begin(), pgoutput::encode(pgoutput::Begin{{lsn}, 9, xid}));
    changes.push_back(pgoutput::encode(pgoutput::Commit{{lsn}, {lsn + 8}, 9}));
    return changes;
}

Result<Texts> feed(TransactionAssembler& assembler, const Texts& messages) {
    Texts all;
    for (const auto& message : messages) {
        const auto as_it_is = assembler.take(message);
        if (!as_it_is) return std::unexpected(as_it_is.error());
        if (*as_it_is) all.push_back(message);
        while (assembler.is_handing_on()) {
            const auto next = assembler.next();
            if (!next) return std::unexpected(next.error());
            all.emplace_back(*next);
        }
    }
    return all;
}

Result<Texts> fed(const Texts& messages) {
    TransactionAssembler assembler;
    return feed(assembler, messages);
}

}  // namespace

TEST(TransactionAssembler, leaves_what_was_not_sent_in_pieces_as_it_is) {
    const auto plain = whole(7, 64, {row("a"), row("b")});
    EXPECT_EQ(fed(plain), (Result<Texts>{plain}));
}

TEST(TransactionAssembler, hands_a_transaction_on_at_its_commit_and_the_pieces_of_others_not) {
    const auto between = whole(8, 64, {row("b")});
    Texts sent{piece(7, true), of(7, row("a1")), of(7, row("a2")), piece_end, piece(9, true), of(9, row("c1")), piece_end};
    sent.insert(sent.end(), between.begin(), between.end());
    for (const auto& each : {piece(7, false), of(7, row("a3")), piece_end, commit(7, 128)}) sent.push_back(each);

    auto expected = between;
    for (const auto& each : whole(7, 128, {row("a1"), row("a2"), row("a3")})) expected.push_back(each);
    EXPECT_EQ(fed(sent), (Result<Texts>{expected}));
}

TEST(TransactionAssembler, drops_what_was_rolled_back_but_for_what_describes_relations) {
    const std::string relation = Bytes('R').i32(5).text("public").text("t").c('d').i16(0);
    EXPECT_EQ(fed({piece(7, true), of(7, row("kept")), of(8, relation), of(8, row("undone")), of(9, row("kept too")), piece_end,
                   abort(7, 8), piece(7, false), of(7, row("last")), piece_end, commit(7, 64)}),
              (Result<Texts>{whole(7, 64, {row("kept"), relation, row("kept too"), row("last")})}));
    EXPECT_EQ(fed({piece(7, true), of(7, row("undone")), piece_end, abort(7, 7), abort(99, 99)}), (Result<Texts>{Texts{}}));
}

TEST(TransactionAssembler, knows_that_an_origin_has_no_xid) {
    const std::string origin = Bytes('O').i64(1).text("upstream");
    EXPECT_EQ(fed({piece(7, true), origin, of(7, row("a")), piece_end, commit(7, 64)}),
              (Result<Texts>{whole(7, 64, {origin, row("a")})}));
}

TEST(TransactionAssembler, refuses_what_would_lose_changes_in_silence) {
    const auto refused = [](const Texts& messages) {
        const auto result = fed(messages);
        return !result && result.error().code == ErrorCode::invalid_body;
    };
    EXPECT_TRUE(refused({piece(7, false)}));                                         // its first piece is missing
    EXPECT_TRUE(refused({piece(7, true), piece_end, piece(7, true)}));               // another of that number was not ended
    EXPECT_TRUE(refused({piece(7, true), piece(8, true)}));
    EXPECT_TRUE(refused({commit(7, 64)}));
    EXPECT_TRUE(refused({piece(7, true), commit(7, 64)}));
    EXPECT_TRUE(refused({piece_end}));
    EXPECT_TRUE(refused({piece(7, true), abort(7, 7)}));
    EXPECT_TRUE(refused({piece(7, true), "I\1\2"}));
    EXPECT_TRUE(refused({piece(7, true), ""}));
}

TEST(TransactionAssembler, gives_the_same_from_files_as_from_memory_and_leaves_no_file_behind) {
    std::string name = "/tmp/palimpsest-test-XXXXXX";
    ASSERT_TRUE(::mkdtemp(name.data()));
    std::minstd_rand random{7};
    Texts sent;
    std::map<std::uint32_t, Texts> kept;
    for (int i = 0; i < 2'000; ++i) {
        const auto xid = static_cast<std::uint32_t>(1 + random() % 3);
        const auto text = row(std::string(random() % 1'000, static_cast<char>('a' + i % 26)));
        sent.insert(sent.end(), {piece(xid, kept[xid].empty()), of(xid, text), piece_end});
        kept[xid].push_back(text);
    }
    sent.insert(sent.end(), {piece(1, false), of(1, row(std::string(1'000'000, 'x'))), piece_end});
    kept[1].push_back(row(std::string(1'000'000, 'x')));
    Texts expected;
    for (const std::uint32_t xid : {2u, 1u, 3u}) {
        sent.push_back(commit(xid, 64 * xid));
        for (const auto& each : whole(xid, 64 * xid, kept[xid])) expected.push_back(each);
    }
    for (const std::size_t memory : {std::size_t{0}, std::size_t{10'000}, std::size_t{16} << 20}) {
        TransactionAssembler assembler{{.folder = name, .memory_bytes_max = memory}};
        EXPECT_TRUE(feed(assembler, sent) == (Result<Texts>{expected})) << memory;
        EXPECT_TRUE(std::filesystem::is_empty(name));
    }
    std::filesystem::remove(name);
}

TEST(TransactionAssembler, says_where_there_is_no_room) {
    TransactionAssembler nowhere{{.folder = "/nonexistent", .memory_bytes_max = 0}};
    const auto error = feed(nowhere, {piece(7, true), of(7, row("a"))}).error();
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_TRUE(error.message.starts_with("cannot make a temporary file in /nonexistent")) << error.message;

    // A full disk, as far as a process can have one to itself.
    const auto before = ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{.rlim_cur = 100, .rlim_max = limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    TransactionAssembler full{{.memory_bytes_max = 1'000}};
    const auto result = feed(full, {piece(7, true), of(7, row(std::string(2'000, 'x'))), piece_end});
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, before);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unavailable);
    EXPECT_TRUE(result.error().message.starts_with("cannot write a temporary file in ")) << result.error().message;
}

}  // namespace postgres
