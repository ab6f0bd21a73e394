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

    void listen(const FilterPtr& filter = {}, const LastSent& before = {}) {
        listener_.transport = this;
        listener_.connection_id = &connection_id;
        listener_.seat = &seat_;
        audience_.add({.name = channel_, .filter = filter, .deltas = deltas}, format_, listener_, before);
    }
    void leave() { audience_.remove(channel_, format_, seat_); }

    void send(const protocol::FramePtr& frame) override { frames.push_back(frame); }
    void ping() override {}
    bool was_idle() override { return false; }
    bool was_heard() override { return true; }
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
    bool deltas = false;
    std::vector<protocol::FramePtr> frames;

private:
    Audience& audience_;
    std::string channel_;
    Format format_;
    Audience::Listener listener_;
    Audience::Seat seat_;
};

class AudienceTest : public testing::Test {
protected:
    /// As if it was ordered just now.
    broker::EntryPtr publish(std::vector<Message> messages, std::string connection_id = "publisher") {
        const auto ordered = order(std::move(messages), std::move(connection_id));
        audience.deliver(ordered, {}, "room");
        return ordered;
    }
    broker::EntryPtr order(std::vector<Message> messages, std::string connection_id = "publisher") {
        broker::Entry entry{.message = {.action = Action::message, .id = std::to_string(++count_), .channel = "room"}};
        entry.message.channel_serial = "serial" + entry.message.id;
        entry.position.count = static_cast<std::uint64_t>(count_);
        entry.message.connection_id = std::move(connection_id);
        for (std::size_t i = 0; i < messages.size(); ++i) messages[i].id = entry.message.id + ':' + std::to_string(i);
        entry.message.messages = std::move(messages);
        return std::make_shared<const broker::Entry>(std::move(entry));
    }
    static FilterPtr filter(std::string_view expression) {
        return std::make_shared<const protocol::Filter>(protocol::Filter::parse(expression).value());
    }

    Audience audience;

private:
    int count_ = 0;
};

TEST_F(AudienceTest, RTP17a_who_does_not_listen_to_presence_is_told_of_its_own) {
    Ear ann{audience, "room", Format::json, {.modes = flag::presence, .echo = false}};
    Ear bob{audience, "room", Format::json, {.modes = flag::presence}}, carl{audience, "room", Format::json, {.modes = flag::subscribe}};
    ann.connection_id = "ann";
    for (auto* ear : {&ann, &bob, &carl}) ear->listen();
    broker::Entry entry{.message = {.action = Action::presence, .channel = "room", .connection_id = "ann"}};
    entry.message.presence.push_back({.client_id = "a"});
    audience.deliver(std::make_shared<const broker::Entry>(std::move(entry)), {}, "room");
    EXPECT_EQ(ann.frames.size(), 1u);
    EXPECT_EQ(bob.frames.size() + carl.frames.size(), 0u);
}

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

TEST_F(AudienceTest, a_run_is_heard_as_its_messages_one_by_one_are) {
    Ear all{audience, "room"}, packed{audience, "room", Format::msgpack}, renamed{audience, "[?rewind=1]room"};
    Ear quiet{audience, "room", Format::json, {.modes = flag::publish}};
    Ear own{audience, "room", Format::json, {.modes = flag::subscribe, .echo = false}}, picky{audience, "[filter=x]room"};
    own.connection_id = "me";
    for (auto* each : {&all, &packed, &renamed, &quiet, &own}) each->listen();
    picky.listen(filter("name == 'b'"));
    std::vector<Delivery> run;
    run.push_back({.entry = order({{.name = "a"}}), .frames = {}});
    run.push_back({.entry = order({{.name = "b"}}, "me"), .frames = {}});
    run.push_back({.entry = order({{.name = "c"}}), .frames = {}});
    audience.deliver(run, "room");
    using Names = std::vector<std::string>;
    for (const auto* each : {&all, &packed, &renamed}) EXPECT_EQ(each->names(), (Names{"a", "b", "c"}));
    EXPECT_EQ(renamed.heard().at(2).channel, "[?rewind=1]room");
    EXPECT_EQ(own.names(), (Names{"a", "c"}));
    EXPECT_EQ(picky.names(), Names{"b"});
    EXPECT_TRUE(quiet.frames.empty());
    std::vector<std::size_t> told;
    for (const auto& each : run) told.push_back(each.told);
    EXPECT_EQ(told, (std::vector<std::size_t>{4, 4, 4}));
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

/// Whether each message heard is a delta ("~") and what it is from.
std::vector<std::string> forms(const Ear& ear) {
    std::vector<std::string> all;
    for (const auto& frame : ear.heard()) {
        for (const auto& message : frame.messages) {
            const auto extras = protocol::read_json(message.extras.text).value_or(protocol::JsonValue{});
            const auto* delta = extras.member("delta");
            all.push_back(delta ? "~" + std::get<std::string>(delta->member("from")->value) : "whole");
        }
    }
    return all;
}

const std::string text = "a text that is long enough for a delta of it to be smaller than it is, number ";

TEST_F(AudienceTest, RTL20_deltas_are_against_the_message_before_and_the_first_is_whole) {
    Ear ann{audience, "room"}, bob{audience, "room", Format::msgpack}, plain{audience, "room"};
    ann.deltas = bob.deltas = true;
    for (auto* each : {&ann, &plain}) each->listen();
    publish({{.data = text + "1"}});
    bob.listen();
    publish({{.data = text + "2"}});
    publish({{.data = text + "3"}});
    EXPECT_EQ(forms(ann), (std::vector<std::string>{"whole", "~1:0", "~2:0"}));
    EXPECT_EQ(forms(bob), (std::vector<std::string>{"whole", "~2:0"}));
    EXPECT_EQ(forms(plain), (std::vector<std::string>{"whole", "whole", "whole"}));
    EXPECT_EQ(ann.heard().back(), bob.heard().back());
}

TEST_F(AudienceTest, RTL20_who_was_not_sent_a_message_gets_the_next_one_whole) {
    Ear own{audience, "room", Format::json, {.modes = flag::subscribe, .echo = false}}, other{audience, "room"};
    own.connection_id = "me";
    own.deltas = other.deltas = true;
    for (auto* each : {&own, &other}) each->listen();
    publish({{.data = text + "1"}});
    publish({{.data = text + "2"}}, "me");
    publish({{.data = text + "3"}});
    publish({{.data = text + "4"}});
    EXPECT_EQ(forms(own), (std::vector<std::string>{"whole", "whole", "~3:0"}));
    EXPECT_EQ(forms(other), (std::vector<std::string>{"whole", "~1:0", "~2:0", "~3:0"}));
}

TEST_F(AudienceTest, who_shares_what_was_sent_before_shares_the_frame_of_a_delta) {
    Ear ann{audience, "room"}, bob{audience, "room"};
    ann.deltas = bob.deltas = true;
    for (auto* each : {&ann, &bob}) each->listen();
    publish({{.data = text + "1"}});
    publish({{.data = text + "2"}});
    EXPECT_EQ(ann.frames, bob.frames);
    EXPECT_EQ(forms(bob).back(), "~1:0");
}

TEST_F(AudienceTest, deltas_through_a_filter_are_against_what_it_let_through) {
    Ear ann{audience, "[filter=x]room"};
    ann.deltas = true;
    ann.listen(filter("name"));
    publish({{.name = "n", .data = text + "1"}, {.data = text + "2"}});
    publish({{.data = text + "3"}});
    publish({{.data = text + "4"}, {.name = "n", .data = text + "5"}});
    EXPECT_EQ(forms(ann), (std::vector<std::string>{"whole", "~1:0"}));
}

TEST_F(AudienceTest, deltas_go_on_from_what_was_replayed_when_that_is_the_last_message) {
    Ear ann{audience, "room"}, bob{audience, "room"}, carl{audience, "room"};
    ann.deltas = bob.deltas = carl.deltas = true;
    const auto first = publish({{.data = text + "1"}});
    ann.listen({}, {.entry = first});
    const auto second = publish({{.data = text + "2"}});
    bob.listen({}, {.entry = second});
    carl.listen({}, {.entry = first});
    publish({{.data = text + "3"}});
    EXPECT_EQ(forms(ann), (std::vector<std::string>{"~1:0", "~2:0"}));
    EXPECT_EQ(forms(bob), (std::vector<std::string>{"~2:0"}));
    EXPECT_EQ(forms(carl), (std::vector<std::string>{"whole"}));
}

TEST_F(AudienceTest, news_of_the_occupancy_come_between_a_message_and_its_delta) {
    const std::string category = "metrics";
    Ear ann{audience, "room", Format::json, {.modes = flag::subscribe, .occupancy = &category}};
    ann.deltas = true;
    ann.listen();
    publish({{.data = text + "1"}});
    audience.deliver(OccupancyMetrics{});
    publish({{.data = text + "2"}});
    publish({{.data = text + "3"}});
    EXPECT_EQ(forms(ann), (std::vector<std::string>{"whole", "whole", "whole", "~2:0"}));
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
