#include "postgres/lsn.hpp"

#include <gtest/gtest.h>

namespace postgres {

TEST(Lsn, has_the_text_form_of_pg_lsn) {
    EXPECT_EQ(to_string(Lsn{0x16'B374D848}), "16/B374D848");
    EXPECT_EQ(to_string(Lsn{0}), "0/0");
    EXPECT_EQ(parse_lsn("16/B374D848"), Lsn{0x16'B374D848});
    EXPECT_EQ(parse_lsn("FFFFFFFF/FFFFFFFF"), Lsn{~0ull});
    EXPECT_EQ(parse_lsn("0/a"), Lsn{10});
}

TEST(Lsn, refuses_what_is_not_one) {
    for (const auto* text : {"", "/", "1/", "/1", "1", "1/2/3", "1/G", "123456789/0", "0/123456789", "-1/0", " 1/0", "0x1/0"})
        EXPECT_EQ(parse_lsn(text), std::nullopt) << text;
}

}  // namespace postgres
