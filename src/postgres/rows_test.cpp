#include "postgres/rows.hpp"

#include <gtest/gtest.h>

namespace postgres {

TEST(SqlState, sorts_by_what_the_caller_can_do) {
    for (const auto* transient : {"08006", "40001", "40P01", "53300", "55P03", "57P01", "57014", "58030"})
        EXPECT_EQ(code_of_sqlstate(transient), ErrorCode::unavailable) << transient;
    for (const auto* value : {"22001", "22021", "22P02", "44000", "P0001"})
        EXPECT_EQ(code_of_sqlstate(value), ErrorCode::invalid_parameter_value) << value;
    EXPECT_EQ(code_of_sqlstate("23505"), ErrorCode::conflict);
    EXPECT_EQ(code_of_sqlstate("42P01"), ErrorCode::internal_error);
    EXPECT_EQ(code_of_sqlstate(""), ErrorCode::internal_error);
}

TEST(Quoting, doubles_the_quote_and_nothing_else) {
    EXPECT_EQ(quote_identifier(R"(a"b'c\)"), R"("a""b'c\")");
    EXPECT_EQ(quote_literal(R"(a"b'c\)"), R"('a"b''c\')");
    EXPECT_EQ(quote_identifier(""), R"("")");
}

TEST(OneLine, joins_the_lines_of_an_error) { EXPECT_EQ(one_line("FATAL:  no\n\tHint: yes\n"), "FATAL:  no  Hint: yes"); }

}  // namespace postgres
