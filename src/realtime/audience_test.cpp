#include "realtime/audience.hpp"

#include <gtest/gtest.h>

#include "protocol/codec.hpp"

/// One shard's listeners of one channel, without connections.
namespace realtime {
namespace {

namespace flag = protocol::flag;
using protocol::Action;
using protocol::Format;
using protocol::Message;
using protocol::ProtocolMessage;

/// Somebody who is attached to "room", by some name.
class Ear final : public Transport {
public:
    Ear(Audience& audience, std::string channel, Format format = Format::json, Audience::Listener listener = {.modes = flag::default_modes})
        : audience_(audience), channel_(std::move(channel)), format_(format), listener_(listener) {}

    void listen(const FilterPtr& filter = {}) {
        listener_.transport = this;
        listener_.connection_id = &connection_id;
        listener_.seat = &seat_;
        audience_.add(channel_, format_, filter, listener_);
    }
    void leave() { audience_.remove(channel_, format_, seat_); }

    void send(const protocol::FramePtr& frame) override { frames.push_back(frame); }
    void ping() override {}
    bool was_idle() override { return false; }
    void set_reading(bool) override {}
    void finish() override {}

    std::vector<ProtocolMessage> heard() const {
        std::vector<ProtocolMessage> all;
        for (const auto& frame : frames) all.push_back(protocol::decode(format_, frame->payload()).value());
        return all;
    }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& frame : heard()) {
            for (const auto& message : frame.messages) all.push_back(message.name);
        }
        return all;
    }

    std::string connection_id = "other";
    std::vector<protocol::FramePtr> frames;

private:
    Audience& audience_;
    std::string channel_;
    Format format_;
    Audience::Listener listener_;
    Audience::Seat seat_ = 0;
};

class AudienceTest : public testing::Test {
protected:
    /// As if it was ordered just now.
    broker::EntryPtr publish(std::vector<Message> messages, std::string connection_id = "publisher") {
        broker::Entry entry{.message = {.action = Action::message, .id = std::to_string(++count_), .channel = "room"}};
        entry.message.channel_serial = "serial" + entry.message.id;
        entry.message.connection_id = std::move(connection_id);
        for (std::size_t i = 0; i < messages.size(); ++i) messages[i].id = entry.message.id + ':' + std::to_string(i);
        entry.message.messages = std::move(messages);
        const auto ordered = std::make_shared<const broker::Entry>(std::move(entry));
        audience.deliver(*ordered, {}, "room");
        return ordered;
    }
    static FilterPtr filter(std::string_view expression) {
        return std::make_shared<const protocol::Filter>(protocol::Filter::parse(expression).value());
    }

    Audience audience;

private:
    int count_ = 0;
};

TEST_F(AudienceTest, who_shares_a_name_and_a_format_shares_the_frame) {
    Ear ann{audience, "room"}, bob{audience, "room"}, carl{audience, "room", Format::msgpack}, dan{audience, "[?rewind=1]room"};
    for (auto* each : {&ann, &bob, &carl, &dan}) each->listen();
    publish({{.name = "a"}});
    EXPECT_EQ(ann.frames, bob.frames);
    EXPECT_EQ(ann.heard(), carl.heard());
    EXPECT_EQ(dan.heard().at(0).channel, "[?rewind=1]room");
}

TEST_F(AudienceTest, modes_and_echo_decide_who_is_sent_what) {
    Ear quiet{audience, "room", Format::json, {.modes = flag::publish}};
    Ear own{audience, "room", Format::json, {.modes = flag::subscribe, .echo = false}};
    own.connection_id = "me";
    for (auto* each : {&quiet, &own}) each->listen();
    publish({{.name = "mine"}}, "me");
    publish({{.name = "theirs"}});
    EXPECT_TRUE(quiet.frames.empty());
    EXPECT_EQ(own.names(), std::vector<std::string>{"theirs"});
}

TEST_F(AudienceTest, a_filter_lets_through_the_messages_that_match_under_its_own_name) {
    Ear ann{audience, "[filter=x]room"}, bob{audience, "room"};
    ann.listen(filter("headers.size > `1`"));
    bob.listen();
    publish({{.name = "none"}});
    const auto mixed = publish({{.name = "small", .extras = {R"({"headers":{"size":1}})"}},
                                {.name = "big", .extras = {R"({"headers":{"size":2}})"}},
                                {.name = "bigger", .extras = {R"({"headers":{"size":3}})"}}});
    auto expected = mixed->message;
    expected.channel = "[filter=x]room";
    expected.messages.erase(expected.messages.begin());
    EXPECT_EQ(ann.heard(), std::vector{expected});
    EXPECT_EQ(bob.names(), (std::vector<std::string>{"none", "small", "big", "bigger"}));
}

TEST_F(AudienceTest, whoever_leaves_hears_nothing_more_and_the_others_do) {
    Ear ann{audience, "room"}, bob{audience, "room"}, carl{audience, "room"};
    for (auto* each : {&ann, &bob, &carl}) each->listen();
    ann.leave();
    publish({{.name = "a"}});
    carl.leave();
    publish({{.name = "b"}});
    bob.leave();
    EXPECT_EQ(ann.names(), std::vector<std::string>{});
    EXPECT_EQ(bob.names(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(carl.names(), std::vector<std::string>{"a"});
    EXPECT_TRUE(audience.empty());
}

}  // namespace
}  // namespace realtime
