#include "protocol/filter.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace protocol {
namespace {

const Message strawberry{.name = "ice-cream",
                         .extras = {R"({"headers":{"flavor":"strawberry","cost":35,"temp":3,"sold":false,"note":"","x-kind":"größe",)"
                                    R"("tags":["cold","sweet"]},"ref":{"type":"order"}})"}};

/// What becomes of the example with this filter; the reason when it is refused.
std::string outcome(std::string_view expression, const Message& message = strawberry) {
    const auto filter = Filter::parse(expression);
    if (!filter) return filter.error().message;
    return filter->matches(Filter::subject(message)) ? "matches" : "does not";
}

void expect_matches(std::initializer_list<std::string_view> expressions) {
    for (const auto each : expressions) EXPECT_EQ(outcome(each), "matches") << each;
}
void expect_does_not(std::initializer_list<std::string_view> expressions) {
    for (const auto each : expressions) EXPECT_EQ(outcome(each), "does not") << each;
}

TEST(Filter, the_examples_of_the_documentation) {
    expect_matches({R"(name == `"ice-cream"` && headers.flavor == `"strawberry"` && headers.cost < `50`)",
                    R"(headers.flavor == `"strawberry"` || headers.flavor == `"chocolate"`)"});
    expect_does_not({R"(headers.flavor == `"chocolate"`)", R"(name == `"ice-cream"` && headers.cost < `35`)"});
}

TEST(Filter, names_are_looked_up_in_the_message) {
    expect_matches({"name", "headers.flavor == 'strawberry'", "extras.headers.cost == `35`", R"(headers."x-kind" == 'größe')",
                    R"("headers"."flavor" == 'strawberry')", "extras.ref.type == 'order'", R"(headers."x\u002dkind" == 'größe')",
                    "(headers).cost == `35`", " headers . cost\n== `35` ", R"(`{"a":{"b":1}}`.a.b == `1`)"});
    expect_does_not({"headers.size", "nothing", "name.first", "headers.flavor.cost", "data", "clientId"});
}

TEST(Filter, what_is_false_null_or_empty_does_not_match) {
    expect_matches({"`0`", "`true`", "' '", "`[0]`", "headers", "!headers.sold", "!headers.note", "!headers.nothing", "!`{}`"});
    expect_does_not({"`false`", "`null`", "''", "`[]`", "`{}`", "headers.sold", "headers.note", "!`0`"});
}

TEST(Filter, operators_bind_as_in_jmespath) {
    expect_matches({"`true` || `false` && `false`", "!headers.sold && headers.cost > `1`", "!(`false` || `false`)", "!!name",
                    "`false` || `false` || name", "!headers.sold == `true`", "'a' == 'a' && 'b' != 'a'", "('a' == 'b') == `false`"});
    expect_does_not({"(`true` || `false`) && `false`", "name && headers.cost && headers.note"});
}

TEST(Filter, equality_is_of_whole_values_and_order_of_numbers) {
    expect_matches({"headers.tags == `[\"cold\",\"sweet\"]`", "`{\"a\":1,\"b\":2}` == `{\"b\":2,\"a\":1}`", "`1` == `1.0`",
                    "headers.nothing == `null`", "headers.cost >= `35`", "headers.cost <= `35`", "headers.temp < headers.cost",
                    "headers.cost != '35'", "headers.cost > `-1e1`"});
    expect_does_not({"headers.cost == '35'", "'a' < 'b'", "headers.nothing < `1`", "`[1,2]` == `[2,1]`", "`true` == 'true'"});
}

TEST(Filter, functions) {
    expect_matches({"contains(headers.flavor, 'straw')", "contains(headers.tags, 'cold')", "contains(`[\"a\",\"ice-cream\"]`, name)",
                    "starts_with(name, 'ice')", "ends_with(name, 'cream')", "length(headers.tags) == `2`",
                    "length(headers.\"x-kind\") == `5`", "length(headers) == `7`", "type(headers.cost) == 'number'",
                    "type(headers.nothing) == 'null'", "type(headers.tags) == 'array'", "to_string(headers.cost) == '35'",
                    "to_string(name) == name", "to_string(headers.tags) == '[\"cold\",\"sweet\"]'", "to_number('35') == headers.cost",
                    "not_null(headers.nothing, headers.temp) == `3`", "not_null(extras, `{}`).ref.type == 'order'",
                    "!contains(headers.nothing, 'a')", "to_string(`0.5`) == '0.5'"});
    expect_does_not({"contains(headers.flavor, 'Straw')", "contains(headers.tags, 'col')", "contains(headers.cost, '3')",
                     "starts_with(headers.cost, '3')", "length(headers.cost)", "to_number('much')", "to_number('nan')", "to_number(`true`)",
                     "not_null(headers.nothing)"});
}

TEST(Filter, literals_hold_their_own_quotes) {
    EXPECT_EQ(outcome(R"(name == 'it\'s')", {.name = "it's"}), "matches");
    EXPECT_EQ(outcome(R"(name == 'a\b')", {.name = R"(a\b)"}), "matches");
    EXPECT_EQ(outcome(R"(name == `"a\`b"`)", {.name = "a`b"}), "matches");
    EXPECT_EQ(outcome(R"(name == `"a\"b"`)", {.name = R"(a"b)"}), "matches");
}

TEST(Filter, a_message_with_nothing_to_look_at) {
    EXPECT_EQ(outcome("name", {}), "does not");
    EXPECT_EQ(outcome("!name && !headers && !extras", {}), "matches");
}

TEST(Filter, what_is_malformed_is_refused_with_the_place) {
    const std::initializer_list<std::pair<std::string_view, std::string_view>> cases = {
        {"", "character 0: a name, a literal or a ( is needed"},
        {"name ==", "character 7: a name, a literal or a ( is needed"},
        {"name = 'a'", "character 5: an operator is needed"},
        {"name 'a'", "character 5: an operator is needed"},
        {"a == b == c", "character 7: an operator is needed"},
        {"a | b", "character 2: an operator is needed"},
        {"a[0]", "character 1: an operator is needed"},
        {"headers.*", "character 8: a name is needed"},
        {"headers.", "character 8: a name is needed"},
        {"(name", "character 5: a ) is needed"},
        {"name)", "character 4: an operator is needed"},
        {"'a", "character 2: a literal is not closed"},
        {"`1", "character 2: a literal is not closed"},
        {"`a`", "character 3: what is between the backticks is not JSON"},
        {"\"a", "character 0: a \" is not closed"},
        {"sum(a)", "character 4: there is no such function"},
        {"length()", "character 8: the function takes another number of arguments"},
        {"length(a, b)", "character 12: the function takes another number of arguments"},
        {"length(a", "character 8: a ) is needed"},
        {std::string_view{"a\0", 2}, "character 1: an operator is needed"},
    };
    for (const auto& [expression, why] : cases) {
        const auto filter = Filter::parse(expression);
        ASSERT_FALSE(filter) << expression;
        EXPECT_EQ(filter.error(), (Error{ErrorCode::invalid_channel_name, "the channel's filter cannot be read at " + std::string{why}}))
            << expression;
    }
}

TEST(Filter, depth_and_size_are_bounded) {
    const auto nested = [](int levels, char open, std::string inside, std::string close) {
        std::string text(static_cast<std::size_t>(levels), open);
        text += inside;
        for (int i = 0; i < levels; ++i) text += close;
        return text;
    };
    constexpr auto deepest = base::limits::filter_nesting_max - 1;
    EXPECT_EQ(outcome(nested(deepest, '(', "name", ")")), "matches");
    EXPECT_TRUE(outcome(nested(deepest + 1, '(', "name", ")")).ends_with("it is nested too deep"));
    EXPECT_TRUE(outcome(nested(deepest + 1, '!', "name", "")).ends_with("it is nested too deep"));
    EXPECT_EQ(outcome(std::string(base::limits::channel_name_bytes_max + 1, ' ')), "the channel's filter is too long");
    std::string chain = "name";
    while (chain.size() + 8 < base::limits::channel_name_bytes_max) chain += " && name";
    EXPECT_EQ(outcome(chain), "matches");
}

}  // namespace
}  // namespace protocol
