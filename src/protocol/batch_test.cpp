#include "protocol/batch.hpp"

#include <gtest/gtest.h>

#include "protocol/codec.hpp"

using namespace protocol;

namespace {

/// The same from JSON and from MessagePack.
Result<BatchPublish> decoded(std::string_view json) {
    auto batch = decode_batch(Format::json, json);
    EXPECT_EQ(decode_batch(Format::msgpack, json_to_msgpack(json)), batch) << json;
    return batch;
}

TEST(Batch, BSP2_a_spec_names_channels_and_messages_one_or_more_of_each) {
    EXPECT_EQ(decoded(R"([{"channels":["a","b"],"messages":[{"data":"1"},{"data":"2"}]},{"channels":[],"messages":[]}])"),
              (BatchPublish{.specs = {{{"a", "b"}, {{.data = "1"}, {.data = "2"}}}, {}}, .several = true}));
    EXPECT_EQ(decoded(R"({"channels":"a","messages":{"name":"n","data":"1"}})"),
              (BatchPublish{.specs = {{{"a"}, {{.name = "n", .data = "1"}}}}, .several = false}));
}

TEST(Batch, what_is_no_batch_is_refused) {
    for (const auto* json :
         {"7", "\"a\"", R"([7])", R"({"channels":7})", R"({"channels":["a"],"messages":[7]})", R"([{"channels":{}}])"}) {
        const auto batch = decoded(json);
        ASSERT_FALSE(batch) << json;
        EXPECT_EQ(batch.error().code, ErrorCode::invalid_body) << json;
    }
}

const std::vector<BatchPublishResult> published{
    {.channel = "a", .message_id = "x:0", .serials = {"s1", "s2"}},
    {.channel = "b", .error = ErrorInfo{ErrorCode::capability_denied, "no"}},
};
constexpr std::string_view published_json =
    R"([{"channel":"a","messageId":"x:0","serials":["s1","s2"]},)"
    R"({"channel":"b","error":{"code":40160,"statusCode":401,"message":"no","href":"https://help.ably.io/error/40160"}}])";

TEST(Batch, BAR2_a_result_counts_successes_and_failures) {
    const auto one = fmt::format(R"({{"successCount":1,"failureCount":1,"results":{}}})", published_json);
    EXPECT_EQ(encode_batch(Format::json, published), one);
    EXPECT_EQ(encode_batch(Format::msgpack, published), json_to_msgpack(one));
    EXPECT_EQ(encode_batches(Format::json, {published, published}), fmt::format("[{0},{0}]", one));
}

TEST(Batch, BGR2_a_channel_without_members_has_an_empty_list_of_them) {
    EXPECT_EQ(
        encode_batch(Format::json, std::vector<BatchPresenceResult>{{.channel = "a", .presence = std::vector<PresenceMessage>{}}}),
        R"({"successCount":1,"failureCount":0,"results":[{"channel":"a","presence":[]}]})");
}

TEST(Batch, before_version_3_the_results_are_a_plain_list_or_part_of_an_error) {
    EXPECT_EQ(encode_flat_batch(Format::json, {published[0]}), R"([{"channel":"a","messageId":"x:0","serials":["s1","s2"]}])");
    EXPECT_EQ(encode_flat_batch(Format::json, published),
              fmt::format(R"({{"error":{{"code":40020,"statusCode":400,"message":"Some of the batch failed",)"
                          R"("href":"https://help.ably.io/error/40020"}},"batchResponse":{}}})",
                          published_json));
}

}  // namespace
