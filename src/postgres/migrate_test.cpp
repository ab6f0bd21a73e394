#include "postgres/migrate.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace postgres {

/// A database in EUC_JP, say, has no '…', not even in a comment.
TEST(Migrations, are_ascii_so_that_every_encoding_has_them) {
    ASSERT_FALSE(migrations().empty());
    for (const auto& [version, title, sql] : migrations()) {
        EXPECT_TRUE(std::ranges::all_of(sql, [](char each) { return (each & 0x80) == 0; })) << version << '-' << title;
    }
}

TEST(Migrations, are_numbered_without_gaps) {
    for (int number = 1; const auto& migration : migrations()) EXPECT_EQ(migration.version, number++);
}

}  // namespace postgres
