#include "realtime/drafts.hpp"

#include <gtest/gtest.h>

#include "realtime/checks.hpp"

namespace realtime {
namespace {

using base::ErrorCode;
using protocol::Message;
using protocol::MessageAction;

class Drafts : public testing::Test {
protected:
    base::Result<broker::Draft> messages(std::vector<Message> messages) const {
        return draft_messages(identity(), *channel_of("room"), {}, std::move(messages));
    }
    auth::Identity identity() const {
        const auto app = std::make_shared<auth::App>(auth::App{.id = "app", .default_namespace = {.mutable_messages = mutable_messages}});
        return {.app = app,
                .key_name = "app.key",
                .client_id = "ann",
                .capability = *auth::Capability::parse(capability),
                .expires = base::Time::max()};
    }
    static Message change(MessageAction action, std::string serial = "s") {
        return {.data = "x", .action = action, .serial = std::move(serial)};
    }

    std::string capability = R"({"*":["*"]})";
    bool mutable_messages = true;
};

TEST_F(Drafts, RSL15_who_may_change_what_follows_from_the_capability) {
    const auto change_of = [&](std::string_view operations, MessageAction action) {
        capability = fmt::format(R"({{"*":[{}]}})", operations);
        return messages({change(action)});
    };
    EXPECT_EQ(change_of(R"("publish")", MessageAction::update).error().code, ErrorCode::capability_denied);
    EXPECT_EQ(change_of(R"("message-update-any")", MessageAction::remove).error().code, ErrorCode::capability_denied);
    EXPECT_TRUE(change_of(R"("message-update-any")", MessageAction::append)->change->any);
    const auto own = change_of(R"("message-delete-own")", MessageAction::remove)->change;
    EXPECT_FALSE(own->any);
    EXPECT_EQ(own->own, "ann");
}

TEST_F(Drafts, a_change_has_a_serial_stands_alone_and_is_made_where_that_is_enabled) {
    EXPECT_EQ(messages({change(MessageAction::update, "")}).error().code, ErrorCode::invalid_parameter_value);
    EXPECT_EQ(messages({change(MessageAction::update), {.data = "new"}}).error().code, ErrorCode::bad_request);
    EXPECT_EQ(messages({change(MessageAction::summary)}).error().code, ErrorCode::bad_request);
    mutable_messages = false;
    EXPECT_EQ(messages({change(MessageAction::update)}).error().code, ErrorCode::mutable_messages_disabled);
    EXPECT_EQ(draft_annotations(identity(), *channel_of("room"), {{.message_serial = "s", .type = "x:total.v1"}}).error().code,
              ErrorCode::mutable_messages_disabled);
}

TEST_F(Drafts, who_may_set_privileged_headers_follows_from_the_capability) {
    const Message privileged{.data = "x", .extras = {R"({"headers":{"privileged":1},"privileged":{}})"}};
    const Message usual{.data = "x", .extras = {R"({"headers":{"privileged":1}})"}};
    EXPECT_TRUE(messages({privileged}));
    capability = R"({"*":["publish"]})";
    EXPECT_TRUE(messages({usual}));
    EXPECT_EQ(messages({usual, privileged}).error().code, ErrorCode::capability_denied);
    capability = R"({"*":["publish","privileged-headers"]})";
    EXPECT_TRUE(messages({privileged}));
}

TEST_F(Drafts, RTL19_only_the_server_makes_deltas) {
    for (const auto* encoding : {"vcdiff", "utf-8/vcdiff", "vcdiff/cipher+aes-256-cbc"}) {
        EXPECT_EQ(messages({{.encoding = encoding, .data = "x"}}).error().code, ErrorCode::invalid_message_data) << encoding;
    }
    for (const auto* encoding : {"", "json", "utf-8/cipher+aes-256-cbc", "my-vcdiff"}) {
        EXPECT_TRUE(messages({{.encoding = encoding, .data = "x"}})) << encoding;
    }
}

TEST_F(Drafts, a_change_may_name_the_version_that_it_is_of) {
    auto update = change(MessageAction::update);
    update.version = protocol::MessageVersion{.serial = "theirs", .timestamp = 5, .metadata = {R"({"why":[1],"expectedVersion":"v1"})"}};
    const auto draft = messages({update});
    EXPECT_EQ(draft->change->expected_version, "v1");
    EXPECT_EQ(draft->message.messages[0].version->serial, "");
    EXPECT_EQ(draft->message.messages[0].version->timestamp, 0);
    EXPECT_EQ(draft->message.messages[0].version->client_id, "ann");
    update.version->metadata.text = R"({"expectedVersion":7})";
    EXPECT_EQ(messages({update})->change->expected_version, std::nullopt);
}

TEST_F(Drafts, what_only_a_server_may_say_is_taken_off) {
    const Message claimed{.connection_id = "other", .connection_key = "k", .data = "x", .timestamp = 5, .serial = "s",
                          .version = protocol::MessageVersion{.serial = "v"}, .annotations = {"{}"}};
    EXPECT_EQ(messages({claimed})->message.messages[0], (Message{.client_id = "ann", .data = "x"}));
    const std::string large(100'000, 'x');
    const Message heavy{.connection_id = large, .connection_key = large, .serial = large, .annotations = {large}};
    EXPECT_LT(heap_bytes(messages({heavy})->message.messages[0]), large.size()) << "and it takes no memory either";
    const protocol::Annotation annotation{.connection_id = large, .serial = large, .message_serial = "s", .type = "x"};
    EXPECT_LT(heap_bytes(draft_annotations(identity(), *channel_of("room"), {annotation})->message.annotations[0]), large.size());
}

TEST_F(Drafts, ephemeral_messages_are_known_by_their_extras_and_stand_by_themselves) {
    const Message ephemeral{.extras = {R"({"headers":{"ephemeral":false},"ephemeral":true})"}};
    EXPECT_TRUE(messages({ephemeral})->ephemeral);
    EXPECT_FALSE(messages({{.extras = {R"({"ephemeral":"yes"})"}}})->ephemeral);
    EXPECT_EQ(messages({ephemeral, {.data = "x"}}).error().code, ErrorCode::bad_request);
}

TEST_F(Drafts, RSAN1_annotations_published_together_are_of_one_message) {
    const auto draft = [&](std::vector<protocol::Annotation> annotations) {
        return draft_annotations(identity(), *channel_of("room"), std::move(annotations));
    };
    EXPECT_EQ(draft({{.message_serial = "s", .type = "x:flag.v1"}})->message.annotations[0].client_id, "ann");
    EXPECT_EQ(draft({{.message_serial = "s", .type = "x:flag.v1"}, {.message_serial = "t", .type = "x:flag.v1"}}).error().code,
              ErrorCode::bad_request);
    EXPECT_EQ(draft({{.type = "x:flag.v1"}}).error().code, ErrorCode::invalid_parameter_value);
    EXPECT_EQ(draft({}).error().code, ErrorCode::bad_request);
}

TEST_F(Drafts, TM6_whatever_text_a_publish_brings_counts) {
    const std::string most(base::limits::message_bytes_max, 'x');
    auto described = change(MessageAction::update), with_metadata = described;
    described.version = protocol::MessageVersion{.description = most};
    with_metadata.version = protocol::MessageVersion{.metadata = {"{\"a\":\"" + most + "\"}"}};
    for (const auto& message : {Message{.encoding = most + "x"}, Message{.encoding = "x", .data = most}, Message{.name = "x", .data = most},
                                Message{.id = most + "x"}, described, with_metadata}) {
        EXPECT_EQ(messages({message}).error().code, ErrorCode::message_too_large);
    }
    EXPECT_EQ(messages(std::vector(1'000, Message{.encoding = std::string(2'000, 'x')})).error().code, ErrorCode::message_too_large);
    EXPECT_TRUE(messages({{.encoding = "json/utf-8/cipher+aes-256-cbc", .data = most.substr(0, most.size())}}));
}

TEST_F(Drafts, CD2d_what_does_not_fit_a_frame_is_refused) {
    std::vector<Message> all(1'000, Message{.data = std::string(40, '\1')});
    EXPECT_TRUE(messages(all));
    for (std::size_t i = 0; i < all.size(); ++i) all[i].id = fmt::format("{}:{}", std::string(250, '"'), i);
    EXPECT_EQ(messages(all).error().code, ErrorCode::message_too_large);
}

TEST_F(Drafts, RSAN1_all_that_an_annotation_brings_counts_and_it_needs_no_method) {
    const auto draft = [&](protocol::Annotation annotation) {
        annotation.message_serial = "s";
        return draft_annotations(identity(), *channel_of("room"), {std::move(annotation)});
    };
    const std::string most(base::limits::message_bytes_max, 'x');
    for (const auto& annotation : {protocol::Annotation{.name = most, .type = "x"}, protocol::Annotation{.type = most + "x"},
                                   protocol::Annotation{.encoding = most, .type = "x"}, protocol::Annotation{.data = most, .type = "x"}}) {
        EXPECT_EQ(draft(annotation).error().code, ErrorCode::message_too_large);
    }
    EXPECT_EQ(draft({.name = std::string(300, 'x'), .type = "x:distinct.v1"}).error().code, ErrorCode::bad_request);
    EXPECT_TRUE(draft({.data = "well said", .type = "com.example.comments"}));
}

}  // namespace
}  // namespace realtime
