#include "broker/annotation_summary.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "protocol/error_codes.hpp"

namespace broker {
namespace {

using base::ErrorCode;
using protocol::Annotation;
using protocol::AnnotationAction;

Annotation said(std::string type, std::string client_id, std::string name = {}, std::optional<std::int64_t> count = {}) {
    return {.client_id = std::move(client_id), .name = std::move(name), .type = std::move(type), .count = count};
}
Annotation taken_back(Annotation annotation) {
    annotation.action = AnnotationAction::remove;
    return annotation;
}

std::string sum(std::initializer_list<Annotation> annotations) {
    AnnotationSummary summary;
    for (const auto& each : annotations) {
        EXPECT_TRUE(AnnotationSummary::check(each));
        summary.apply(each);
    }
    return summary.to_json();
}

TEST(AnnotationSummary, total_counts_what_is_published) {
    const auto view = said("metrics:total.v1", "");
    EXPECT_EQ(sum({view, view, taken_back(view), view}), R"({"summary":{"metrics:total.v1":{"total":2}}})");
    EXPECT_EQ(sum({taken_back(view)}), R"({"summary":{}})");
}

TEST(AnnotationSummary, flag_counts_each_client_once) {
    EXPECT_EQ(sum({said("seen:flag.v1", "b"), said("seen:flag.v1", "a"), said("seen:flag.v1", "a")}),
              R"({"summary":{"seen:flag.v1":{"total":2,"clientIds":["a","b"],"clipped":false}}})");
    EXPECT_EQ(sum({said("seen:flag.v1", "a"), taken_back(said("seen:flag.v1", "a"))}), R"({"summary":{}})");
}

TEST(AnnotationSummary, distinct_counts_a_client_once_for_each_name) {
    EXPECT_EQ(sum({said("tag:distinct.v1", "a", "x"), said("tag:distinct.v1", "a", "y"), said("tag:distinct.v1", "b", "x"),
                   said("tag:distinct.v1", "b", "x"), taken_back(said("tag:distinct.v1", "a", "y"))}),
              R"({"summary":{"tag:distinct.v1":{"x":{"total":2,"clientIds":["a","b"],"clipped":false}}}})");
}

TEST(AnnotationSummary, unique_counts_a_client_for_its_last_name) {
    EXPECT_EQ(
        sum({said("vote:unique.v1", "a", "x"), said("vote:unique.v1", "b", "x"), said("vote:unique.v1", "a", "y")}),
        R"({"summary":{"vote:unique.v1":{"x":{"total":1,"clientIds":["b"],"clipped":false},)"
              R"("y":{"total":1,"clientIds":["a"],"clipped":false}}}})");
    EXPECT_EQ(sum({said("vote:unique.v1", "a", "x"), taken_back(said("vote:unique.v1", "a"))}), R"({"summary":{}})");
}

TEST(AnnotationSummary, multiple_adds_up_counts_also_of_who_is_unidentified) {
    EXPECT_EQ(
        sum({said("clap:multiple.v1", "a", "x", 3), said("clap:multiple.v1", "a", "x"), said("clap:multiple.v1", "", "x", 2)}),
        R"({"summary":{"clap:multiple.v1":{"x":{"total":6,"clientIds":{"a":4},)"
              R"("totalUnidentified":2,"clipped":false,"totalClientIds":1}}}})");
    EXPECT_EQ(sum({said("clap:multiple.v1", "a", "x", 3), taken_back(said("clap:multiple.v1", "a", "x"))}), R"({"summary":{}})");
}

TEST(AnnotationSummary, what_adds_up_to_nothing_sensible_is_refused) {
    const auto code = [](const Annotation& annotation) { return AnnotationSummary::check(annotation).error().code; };
    EXPECT_EQ(code(said("", "a", "x")), ErrorCode::bad_request);
    EXPECT_EQ(code(said("x:distinct.v1", "a")), ErrorCode::bad_request);
    EXPECT_EQ(code(said("x:multiple.v1", "a", "x", 0)), ErrorCode::bad_request);
    EXPECT_EQ(code(said("x:flag.v1", "")), ErrorCode::identified_client_needed);
    EXPECT_EQ(code(taken_back(said("x:multiple.v1", "", "x"))), ErrorCode::identified_client_needed);
}

TEST(AnnotationSummary, a_type_without_a_method_that_we_know_is_taken_and_adds_up_to_nothing) {
    AnnotationSummary summary;
    for (const char* type : {"com.example.comments", "total.v1", ":total.v1", "x:total", "x:total.v2", "x:flag.v1:"}) {
        const auto annotation = said(type, "");
        EXPECT_TRUE(AnnotationSummary::check(annotation)) << type;
        EXPECT_TRUE(summary.check_room(std::vector(10'000, annotation))) << type;
        EXPECT_FALSE(summary.apply(annotation)) << type;
        EXPECT_FALSE(summary.apply(taken_back(annotation))) << type;
    }
    EXPECT_TRUE(summary.empty());
}

TEST(AnnotationSummary, types_and_names_are_bounded) {
    const std::string longest(base::limits::annotation_name_bytes_max, 'x');
    EXPECT_TRUE(AnnotationSummary::check(said("x:distinct.v1", "a", longest)));
    EXPECT_TRUE(AnnotationSummary::check(said(longest, "a", "x")));
    for (const auto& annotation : {said("x:distinct.v1", "a", longest + "x"), said("com.example", "a", longest + "x"),
                                   said(longest + "x", "a", "x"), said(longest + ":flag.v1", "a")}) {
        EXPECT_EQ(AnnotationSummary::check(annotation).error().code, ErrorCode::bad_request);
    }
}

TEST(AnnotationSummary, a_summary_is_bounded_in_bytes_whatever_types_names_and_clients_are) {
    for (const auto filler : {'x', '"', '\x01'}) {
        AnnotationSummary summary;
        std::size_t refused = 0;
        const auto add = [&](const Annotation& annotation) {
            ASSERT_TRUE(AnnotationSummary::check(annotation));
            if (summary.check_room({annotation})) summary.apply(annotation);
            else ++refused;
        };
        const auto text = [&](std::string_view end) { return std::string(200, filler).append(end); };
        for (int i = 0; i < 2'100; ++i) {
            const auto number = std::to_string(i), type = text(std::to_string(i % 3));
            add(said(type + ":multiple.v1", text(number), text(std::to_string(i % 40)), base::limits::annotation_count_max));
            add(said(type + ":distinct.v1", text(number), text(number)));
            add(said(type + ":flag.v1", text(number)));
        }
        EXPECT_GT(refused, 0u);
        EXPECT_LE(summary.size(), base::limits::annotations_per_message_max);
        EXPECT_LE(summary.to_json().size(), base::limits::annotation_summary_bytes_max);
        EXPECT_NE(summary.to_json().find(R"("clipped":true)"), std::string::npos);
    }
}

TEST(AnnotationSummary, every_name_has_its_share_of_the_clients_told) {
    AnnotationSummary summary;
    for (const char* name : {"x", "y"}) {
        for (int i = 0; i < 400; ++i) summary.apply(said("tag:distinct.v1", std::string(200, 'c') + std::to_string(i), name));
    }
    const auto json = summary.to_json();
    const auto x = json.find(R"("x":{)"), y = json.find(R"("y":{)");
    ASSERT_NE(y, std::string::npos);
    EXPECT_NEAR(static_cast<double>(y - x), static_cast<double>(json.size() - y), 1'000);
}

TEST(AnnotationSummary, what_is_taken_back_makes_room) {
    AnnotationSummary summary;
    for (int i = 0; summary.check_room({said("tag:distinct.v1", "a", std::to_string(i))}); ++i) {
        summary.apply(said("tag:distinct.v1", "a", std::to_string(i)));
    }
    EXPECT_GT(summary.size(), 100u);
    const auto first = said("tag:distinct.v1", "a", "0");
    EXPECT_TRUE(summary.check_room({taken_back(first)}));
    summary.apply(taken_back(first));
    EXPECT_TRUE(summary.check_room({first}));
}

TEST(AnnotationSummary, lists_of_clients_are_clipped_and_totals_are_not) {
    AnnotationSummary summary;
    for (int i = 0; i < 501; ++i) summary.apply(said("seen:flag.v1", fmt::format("c{:03}", i)));
    const auto json = summary.to_json();
    EXPECT_NE(json.find(R"("total":501)"), std::string::npos);
    EXPECT_NE(json.find(R"("c499"],"clipped":true)"), std::string::npos);
    EXPECT_EQ(summary.size(), 501u);
}

}  // namespace
}  // namespace broker
