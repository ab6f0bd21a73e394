#include "bench/sequence_check.hpp"

#include <initializer_list>

#include <gtest/gtest.h>

namespace bench {
namespace {

SequenceCheck after(std::initializer_list<std::uint32_t> numbers) {
    SequenceCheck check;
    for (const auto number : numbers) check.take(number);
    return check;
}

void expect(const SequenceCheck& check, std::uint32_t sent, std::uint64_t missing, std::uint64_t duplicates,
            std::uint64_t reordered) {
    EXPECT_EQ(check.missing(sent), missing);
    EXPECT_EQ(check.duplicates(), duplicates);
    EXPECT_EQ(check.reordered(), reordered);
}

TEST(SequenceCheck, all_in_order_is_nothing_to_say) { expect(after({0, 1, 2, 3}), 4, 0, 0, 0); }

TEST(SequenceCheck, what_never_came_is_missing) {
    expect(after({}), 3, 3, 0, 0);
    expect(after({1, 2}), 3, 1, 0, 0);  // the first
    expect(after({0, 3, 4, 7}), 8, 4, 0, 0);
    expect(after({0, 1}), 5, 3, 0, 0);  // the last
}

TEST(SequenceCheck, what_came_again_is_a_duplicate) {
    expect(after({0, 1, 1, 2, 0, 2}), 3, 0, 3, 0);
    expect(after({0, 2, 2}), 3, 1, 1, 0);
}

TEST(SequenceCheck, what_came_late_is_out_of_order_and_not_missing) {
    expect(after({0, 2, 1, 3}), 4, 0, 0, 1);
    expect(after({0, 5, 3, 1, 2, 4}), 6, 0, 0, 4);
    expect(after({4, 3, 2, 1, 0}), 5, 0, 0, 4);
}

TEST(SequenceCheck, what_came_late_and_again_is_both) { expect(after({0, 4, 2, 2, 1, 1}), 5, 1, 2, 2); }

}  // namespace
}  // namespace bench
