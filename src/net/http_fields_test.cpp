#include "net/http_fields.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using Elements = std::vector<std::string_view>;

TEST(HttpFields, RFC9110_5_6_1_a_list_has_elements_whatever_blanks_are_around_them) {
    EXPECT_EQ(elements_of("a,b"), (Elements{"a", "b"}));
    EXPECT_EQ(elements_of(" a\t, ,,b ,"), (Elements{"a", "b"}));
    EXPECT_EQ(elements_of("\"a,b\\\",c\", d"), (Elements{"\"a,b\\\",c\"", "d"}));
    EXPECT_EQ(elements_of(""), Elements{});
    EXPECT_TRUE(has_token("keep-alive,\tUpGrade", "upgrade"));
    EXPECT_FALSE(has_token("upgrades, up grade", "upgrade"));
}

TEST(HttpFields, RFC9110_8_3_1_a_type_is_of_any_case_and_without_its_parameters) {
    for (const auto* text :
         {"application/json", "Application/JSON", " application/json ;charset=utf-8", "application/json\t; a=\"b;c\""}) {
        EXPECT_EQ(type_of(text), "application/json") << text;
    }
    EXPECT_EQ(type_of("application/jsonp"), "application/jsonp");
}

TEST(HttpFields, RFC9110_11_4_a_scheme_is_of_any_case_and_blanks_may_follow_it) {
    for (const auto* text : {"Basic abc=", "basic abc=", "BASIC   abc= ", " Basic\tabc="}) {
        const auto [scheme, rest] = credentials_of(text);
        EXPECT_EQ(scheme, "basic") << text;
        EXPECT_EQ(rest, "abc=") << text;
    }
    EXPECT_EQ(credentials_of("Basic").rest, "");
}

TEST(HttpFields, RFC9110_12_4_2_the_greater_weight_wins_then_who_is_named_then_who_comes_first) {
    const auto prefers = [](std::string_view accept, std::string_view a, std::string_view b) {
        return preference_for(accept, a) > preference_for(accept, b);
    };
    const std::string_view json = "application/json", msgpack = "application/x-msgpack";
    for (const auto* accept :
         {"application/x-msgpack", "application/json;q=0.5, application/x-msgpack", "APPLICATION/X-MSGPACK ; Q=1",
          "application/x-msgpack, */*", "application/x-msgpack, application/json", "application/json;q=0, */*",
          "application/json; q=0.001, application/*;q=0.002"}) {
        EXPECT_TRUE(prefers(accept, msgpack, json)) << accept;
    }
    for (const auto* accept : {"", "*/*", "application/*", "text/html", "application/json, application/x-msgpack",
                               "application/x-msgpack;q=0", "application/x-msgpack;q=0.9, application/json",
                               "application/x-msgpack;q=0.5, */*", "*/*, application/x-msgpack;q=0.999"}) {
        EXPECT_FALSE(prefers(accept, msgpack, json)) << accept;
    }
    EXPECT_EQ(preference_for("gzip;q=0, *", "gzip").weight, 0);
    EXPECT_EQ(preference_for("br, *;q=0.5", "gzip").weight, 500);
    EXPECT_EQ(preference_for("gzip;q=nonsense", "gzip").weight, 1'000);
    EXPECT_EQ(preference_for("gzip;q=99999999999999999999.9", "gzip").weight, 1'000);
}

TEST(HttpFields, RFC9110_13_1_2_an_entity_tag_is_one_of_a_list_weak_or_not) {
    for (const auto* list : {"\"a\"", "W/\"a\"", "\"b\" , \"a\"", "\"x,y\",W/\"a\"", "*"})
        EXPECT_TRUE(has_entity_tag(list, "\"a\"")) << list;
    for (const auto* list : {"", "a", "\"A\"", "\"b\"", "\"x,\"a\"\""}) EXPECT_FALSE(has_entity_tag(list, "\"a\"")) << list;
}

}  // namespace
}  // namespace net
