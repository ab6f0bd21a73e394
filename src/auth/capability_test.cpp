#include "auth/capability.hpp"

#include <gtest/gtest.h>

using namespace auth;

namespace {

Capability parsed(std::string_view json) { return Capability::parse(json).value(); }

bool may_subscribe(std::string_view pattern, std::string_view channel) {
    const auto operations = parsed("{\"" + std::string{pattern} + "\":[\"subscribe\"]}").on(channel);
    EXPECT_TRUE(operations == 0 || operations == static_cast<Operations>(Operation::subscribe));
    return operations != 0;
}

std::string intersection(std::string_view a, std::string_view b) {
    const auto both = parsed(a).intersect(parsed(b));
    EXPECT_EQ(parsed(b).intersect(parsed(a)), both) << a << b;
    return both.to_json();
}

}  // namespace

TEST(Capability, TK2b_its_text_is_canonical) {
    EXPECT_EQ(parsed(R"( { "b" : ["subscribe", "publish"], "a:\"" : ["*"] } )").to_json(),
              R"({"a:\"":["*"],"b":["publish","subscribe"]})");
    EXPECT_EQ(Capability::all().to_json(), R"({"*":["*"]})");
    EXPECT_EQ(parsed("{}").to_json(), "{}");
    EXPECT_TRUE(parsed("{}").empty());
}

TEST(Capability, every_operation_has_its_name) {
    const auto all =
        R"({"a":["annotation-publish","annotation-subscribe","channel-metadata","history","message-delete-any","message-delete-own",)"
        R"("message-update-any","message-update-own","object-publish","object-subscribe","presence","presence-subscribe",)"
        R"("privileged-headers","publish","push-admin","push-subscribe","stats","subscribe"]})";
    EXPECT_EQ(parsed(all).on("a"), all_operations);
    EXPECT_EQ(parsed(all).to_json(), R"({"a":["*"]})");
    EXPECT_EQ(parsed(R"({"a":["history","stats"]})").to_json(), R"({"a":["history","stats"]})");
}

TEST(Capability, refuses_what_is_malformed) {
    for (const char* bad : {"", "x", "[]", "null", "\"*\"", R"({"a":"publish"})", R"({"a":[]})", R"({"a":["publish_"]})",
                            R"({"a":["*","publish"]})", R"({"a":["publish","*"]})", R"({"a":[1]})", R"({"a":null})",
                            R"({"":["*"]})", R"({"[meta]":["*"]})", R"({"[":["*"]})", R"({"[*][*]a":["*"]})",
                            R"({"a":["publish"]}x)", R"({"a":["publish"])"}) {
        const auto capability = Capability::parse(bad);
        ASSERT_FALSE(capability) << bad;
        EXPECT_EQ(capability.error().code, base::ErrorCode::bad_request) << bad;
    }
}

TEST(Capability, a_star_is_a_whole_segment_or_the_rest) {
    EXPECT_TRUE(may_subscribe("*", "a"));
    EXPECT_TRUE(may_subscribe("*", "a:b:c"));
    EXPECT_TRUE(may_subscribe("a:*", "a:b"));
    EXPECT_TRUE(may_subscribe("a:*", "a:b:c"));
    EXPECT_TRUE(may_subscribe("a:*", "a:"));
    EXPECT_FALSE(may_subscribe("a:*", "a"));
    EXPECT_FALSE(may_subscribe("a:*", "ab:c"));
    EXPECT_TRUE(may_subscribe("a:*:c", "a:b:c"));
    EXPECT_FALSE(may_subscribe("a:*:c", "a:b:x:c"));
    EXPECT_FALSE(may_subscribe("a:*:c", "a:b"));
    EXPECT_TRUE(may_subscribe("*:c", "b:c"));
    EXPECT_FALSE(may_subscribe("*:c", "a:b:c"));
    EXPECT_TRUE(may_subscribe("a*", "a*"));
    EXPECT_FALSE(may_subscribe("a*", "ab"));
    EXPECT_FALSE(may_subscribe("a", "a:b"));
    EXPECT_FALSE(may_subscribe("a:b", "a"));
}

TEST(Capability, brackets_are_matched_apart_from_the_name) {
    EXPECT_FALSE(may_subscribe("*", "[meta]log"));
    EXPECT_TRUE(may_subscribe("[meta]*", "[meta]log"));
    EXPECT_TRUE(may_subscribe("[meta]log", "[meta?rewind=1]log"));
    EXPECT_FALSE(may_subscribe("[meta]*", "log"));
    EXPECT_FALSE(may_subscribe("[meta]*", "[filter=YQ==]log"));
    EXPECT_TRUE(may_subscribe("[filter]*", "[filter=YQ==]log"));
    EXPECT_TRUE(may_subscribe("[*]*", "[meta]log"));
    EXPECT_TRUE(may_subscribe("[*]a:*", "a:b"));
    EXPECT_FALSE(may_subscribe("[*]a:*", "[meta]b"));
    EXPECT_TRUE(may_subscribe("room", "[?rewind=2m]room"));
    EXPECT_FALSE(may_subscribe("room", "[?rewind=2m]other"));
}

/// Ably's documentation, "Capabilities": what each resource matches of channels, metachannels and queues.
TEST(Capability, resources_match_as_Ably_documents_it) {
    struct Case {
        const char* resource;
        bool channel, channel_in_namespace, metachannel, metachannel_in_namespace, queue;
    };
    for (const auto& [resource, channel, in_namespace, metachannel, meta_in_namespace, queue] : std::initializer_list<Case>{
             {"*", true, true, false, false, false},
             {"foo:*", false, true, false, false, false},
             {"[meta]*", false, false, true, true, false},
             {"[meta]log", false, false, true, false, false},
             {"[meta]log:*", false, false, false, true, false},
             {"[queue]*", false, false, false, false, true},
             {"[queue]app-q", false, false, false, false, true},
             {"[*]*", true, true, true, true, true},
             {"[*]log", false, false, true, false, false},
             {"[*]foo:*", false, true, false, false, false}}) {
        EXPECT_EQ(may_subscribe(resource, "bar"), channel) << resource;
        EXPECT_EQ(may_subscribe(resource, "foo:bar:bam"), in_namespace) << resource;
        EXPECT_EQ(may_subscribe(resource, "[meta]log"), metachannel) << resource;
        EXPECT_EQ(may_subscribe(resource, "[meta]log:push"), meta_in_namespace) << resource;
        EXPECT_EQ(may_subscribe(resource, "[queue]app-q"), queue) << resource;
    }
    // `stats` is the app's: it needs "*", or what contains it.
    for (const char* whole : {"*", "[*]*"}) EXPECT_TRUE(may_subscribe(whole, "*")) << whole;
    for (const char* part : {"foo:*", "[meta]*", "*:*"}) EXPECT_FALSE(may_subscribe(part, "*")) << part;
    // A token never has more than its key, whichever way it is written.
    EXPECT_EQ(intersection(R"({"*":["*"]})", R"({"[*]*":["subscribe"]})"), R"({"*":["subscribe"]})");
    EXPECT_EQ(intersection(R"({"[meta]*":["subscribe"]})", R"({"[*]*":["*"]})"), R"({"[meta]*":["subscribe"]})");
    EXPECT_EQ(intersection(R"({"[meta]*":["subscribe"]})", R"({"[queue]*":["*"]})"), "{}");
}

TEST(Capability, a_channel_gets_what_every_matching_pattern_grants) {
    const auto capability = parsed(R"({"*":["presence"],"chat:*":["subscribe"],"chat:7":["publish"]})");
    EXPECT_EQ(capability.on("chat:7"), static_cast<Operations>(Operation::presence) | static_cast<Operations>(Operation::subscribe) |
                                           static_cast<Operations>(Operation::publish));
    EXPECT_EQ(capability.on("x"), static_cast<Operations>(Operation::presence));
    EXPECT_EQ(parsed("{}").on("x"), 0u);
    EXPECT_TRUE(capability.grants(Operation::publish));
    EXPECT_FALSE(capability.grants(Operation::stats));
}

TEST(Capability, RSA9f_an_intersection_grants_exactly_what_both_do) {
    EXPECT_EQ(intersection(R"({"*":["*"]})", R"({"a":["publish"]})"), R"({"a":["publish"]})");
    EXPECT_EQ(intersection(R"({"a":["publish","subscribe"]})", R"({"a":["history","subscribe"]})"), R"({"a":["subscribe"]})");
    EXPECT_EQ(intersection(R"({"a":["publish"]})", R"({"a":["subscribe"]})"), "{}");
    EXPECT_EQ(intersection(R"({"a":["publish"]})", R"({"b":["publish"]})"), "{}");
    EXPECT_EQ(intersection(R"({"a:*":["*"]})", R"({"a":["*"],"a:b":["publish"],"a:b:c":["history"]})"),
              R"({"a:b":["publish"],"a:b:c":["history"]})");
    EXPECT_EQ(intersection(R"({"a:*":["*"]})", R"({"*:b":["publish"]})"), R"({"a:b":["publish"]})");
    EXPECT_EQ(intersection(R"({"a:*:c":["*"]})", R"({"*:b:*":["publish"]})"), R"({"a:b:c":["publish"]})");
    EXPECT_EQ(intersection(R"({"a:*":["*"]})", R"({"a:*:c":["publish"]})"), R"({"a:*:c":["publish"]})");
    EXPECT_EQ(intersection(R"({"*":["*"]})", R"({"[meta]*":["*"]})"), "{}");
    EXPECT_EQ(intersection(R"({"[*]*":["*"]})", R"({"[meta]log":["history"],"a":["publish"]})"),
              R"({"[meta]log":["history"],"a":["publish"]})");
    EXPECT_EQ(intersection(R"({"[*]*":["*"]})", R"({"[*]a":["history"]})"), R"({"[*]a":["history"]})");
    EXPECT_EQ(intersection(R"({"a":["*"],"*":["history"]})", R"({"a":["publish"],"*":["history"]})"),
              R"({"*":["history"],"a":["history","publish"]})");
}

TEST(Capability, RTL4l_modes_follow_from_operations) {
    namespace flag = protocol::flag;
    EXPECT_EQ(modes_allowed(all_operations), flag::all_modes);
    EXPECT_EQ(modes_allowed(0), 0);
    EXPECT_EQ(modes_allowed(parsed(R"({"a":["subscribe"]})").on("a")), flag::subscribe | flag::presence_subscribe);
    EXPECT_EQ(modes_allowed(parsed(R"({"a":["publish","presence"]})").on("a")), flag::publish | flag::presence);
    EXPECT_EQ(modes_allowed(parsed(R"({"a":["presence-subscribe","history"]})").on("a")), flag::presence_subscribe);
    EXPECT_EQ(modes_allowed(parsed(R"({"a":["annotation-publish","object-subscribe"]})").on("a")),
              flag::annotation_publish | flag::object_subscribe);
}
