#include "net/write_queue.hpp"

#include <gtest/gtest.h>

#include <array>

namespace net {
namespace {

/// What is queued, as the runs that would be written.
std::vector<std::string> runs(const WriteQueue& queue) {
    std::array<iovec, 64> pieces;
    std::vector<std::string> all;
    for (std::size_t i = 0; i < queue.front(pieces.data(), queue.empty() ? 0 : pieces.size()); ++i) {
        all.emplace_back(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    }
    return all;
}

std::string all(const WriteQueue& queue) {
    std::string text;
    for (const auto& run : runs(queue)) text += run;
    return text;
}

using Runs = std::vector<std::string>;

TEST(WriteQueue, what_many_are_sent_in_a_row_is_one_run_for_each) {
    Blocks blocks;
    WriteQueue ann, bob;
    for (const auto* text : {"one ", "two ", "three"}) {
        const auto piece = blocks.copy(text);
        ann.push(piece, false);
        bob.push(piece, false);
    }
    EXPECT_EQ(runs(ann), Runs{"one two three"});
    EXPECT_EQ(runs(bob), runs(ann));
}

TEST(WriteQueue, what_others_are_sent_between_parts_the_runs) {
    Blocks blocks;
    WriteQueue ann;
    ann.push(blocks.copy("one"), false);
    blocks.copy("not for ann");
    ann.push(blocks.copy("two"), false);
    ann.push(blocks.copy("three"), false);
    EXPECT_EQ(runs(ann), (Runs{"one", "twothree"}));
}

TEST(WriteQueue, what_is_large_stays_where_it_is) {
    Blocks blocks;
    WriteQueue ann;
    const auto large = std::make_shared<const std::string>(Blocks::sparse_below, 'x');
    ann.push(blocks.of(large), false);
    std::array<iovec, 1> piece;
    EXPECT_EQ(ann.front(piece.data(), 1), 1u);
    EXPECT_EQ(piece[0].iov_base, large->data());
    EXPECT_EQ(large.use_count(), 2);
    ann.written(large->size());
    EXPECT_EQ(large.use_count(), 1);
}

TEST(WriteQueue, goes_on_where_a_write_ended) {
    Blocks blocks;
    WriteQueue ann;
    for (const auto* text : {"abc", "def", "ghi"}) {
        ann.push(blocks.copy(text), false);
        blocks.copy(".");
    }
    std::string left = "abcdefghi";
    for (const std::size_t bytes : {1u, 2u, 4u, 1u}) {
        ann.written(bytes);
        left.erase(0, bytes);
        EXPECT_EQ(all(ann), left);
        EXPECT_EQ(ann.bytes(), left.size());
    }
    ann.push(blocks.copy("jkl"), false);
    EXPECT_EQ(all(ann), "ijkl");
    ann.written(4);
    EXPECT_TRUE(ann.empty());
    EXPECT_EQ(ann.bytes(), 0u);
}

TEST(WriteQueue, blocks_are_used_again_once_they_are_written) {
    Blocks blocks;
    WriteQueue ann;
    const auto* first = blocks.copy("one").bytes().data();
    ann.push(blocks.copy("two"), false);
    EXPECT_NE(blocks.copy("three").bytes().data(), first);  // ann's is yet to be written
    ann.written(3);
    EXPECT_EQ(blocks.copy("four").bytes().data(), first);
}

/// Many blocks, of which it has little: it takes that with it, and the blocks can go.
TEST(WriteQueue, who_lags_keeps_little_alive_besides_its_own) {
    Blocks blocks;
    WriteQueue ann;
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        const auto text = std::to_string(i) + ",";
        ann.push(blocks.copy(text), true);
        expected += text;
        blocks.copy(std::string(Blocks::block_bytes, 'x'));
    }
    EXPECT_EQ(all(ann), expected);
    EXPECT_EQ(runs(ann).size(), 2u);  // its own, and the last one
    for (; !expected.empty(); expected.erase(0, 1)) {
        EXPECT_EQ(all(ann), expected);
        ann.written(1);
    }
    EXPECT_TRUE(ann.empty());
}

TEST(WriteQueue, a_queue_that_is_never_empty_does_not_grow) {
    Blocks blocks;
    WriteQueue ann;
    ann.push(blocks.copy("0"), false);
    for (int i = 1; i < 10'000; ++i) {
        blocks.copy(".");
        ann.push(blocks.copy(std::to_string(i % 10)), false);
        ann.written(1);
        EXPECT_EQ(all(ann), std::to_string(i % 10));
    }
}

}  // namespace
}  // namespace net
