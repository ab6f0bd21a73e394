#include "broker/revision.hpp"

#include <gtest/gtest.h>

#include "protocol/error_codes.hpp"

namespace broker {
namespace {

using base::ErrorCode;
using protocol::Message;
using protocol::MessageAction;
using protocol::MessageVersion;

const Message original{.id = "i0", .client_id = "ann", .name = "n", .data = "old", .extras = {R"({"a":1})"}, .timestamp = 5, .serial = "s"};
const Change anybodys{.any = true, .bytes_max = 100};

Message operation(MessageAction action, protocol::Data data = {}) {
    return {.id = "i1", .data = std::move(data), .action = action, .serial = "s", .version = MessageVersion{.client_id = "bob"}};
}

TEST(Revision, TM5_what_the_operation_brings_takes_the_place_of_what_was) {
    auto expected = original;
    expected.id = "i1";
    expected.data = "new";
    expected.action = MessageAction::update;
    expected.version = MessageVersion{.client_id = "bob"};
    EXPECT_EQ(revised(original, operation(MessageAction::update, "new"), anybodys), expected);

    auto renamed = operation(MessageAction::remove);
    renamed.name = "gone";
    renamed.extras.text = "{}";
    expected = original;
    expected.id = "i1";
    expected.name = "gone";
    expected.extras.text = "{}";
    expected.action = MessageAction::remove;
    expected.version = MessageVersion{.client_id = "bob"};
    EXPECT_EQ(revised(original, renamed, anybodys), expected);
}

TEST(Revision, TM5_what_is_appended_goes_behind_and_must_be_encoded_alike) {
    EXPECT_EQ(revised(original, operation(MessageAction::append, "er"), anybodys)->data, protocol::Data{"older"});
    EXPECT_EQ(revised(original, operation(MessageAction::append, "er"), anybodys)->action, MessageAction::update);
    EXPECT_EQ(revised(original, operation(MessageAction::append), anybodys)->data, original.data);
    EXPECT_EQ(revised(original, operation(MessageAction::append, protocol::Binary{"x"}), anybodys).error().code,
              ErrorCode::invalid_message_data);
    auto json = operation(MessageAction::append, "{}");
    json.encoding = "json";
    EXPECT_EQ(revised(original, json, anybodys).error().code, ErrorCode::invalid_message_data);
}

TEST(Revision, RSL15_ones_own_messages_or_anybodys_as_the_capability_has_it) {
    const auto update = operation(MessageAction::update, "new");
    EXPECT_TRUE(revised(original, update, {.own = "ann", .bytes_max = 100}));
    EXPECT_EQ(revised(original, update, {.own = "bob", .bytes_max = 100}).error().code, ErrorCode::capability_denied);
    auto nobodys = original;
    nobodys.client_id.clear();
    EXPECT_FALSE(revised(nobodys, update, {.own = "", .bytes_max = 100}));
}

TEST(Revision, a_change_that_another_came_before_is_refused_with_the_current_version) {
    const auto update = operation(MessageAction::update, "new");
    EXPECT_TRUE(revised(original, update, {.any = true, .expected_version = "s", .bytes_max = 100}));
    auto changed = original;
    changed.version = MessageVersion{.serial = "v2"};
    const auto refused = revised(changed, update, {.any = true, .expected_version = "s", .bytes_max = 100});
    EXPECT_EQ(refused.error().code, ErrorCode::conflict);
    EXPECT_NE(refused.error().message.find("v2"), std::string::npos);
}

TEST(Revision, CD2c_what_becomes_of_a_message_is_bounded_as_any_message_is) {
    EXPECT_EQ(revised(original, operation(MessageAction::append, std::string(100, 'x')), anybodys).error().code,
              ErrorCode::message_too_large);
}

}  // namespace
}  // namespace broker
