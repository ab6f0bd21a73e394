#include "realtime/connection.hpp"

#include <gtest/gtest.h>

#include "auth/app.test.hpp"
#include "base/base64.hpp"
#include "protocol/codec.hpp"
#include "realtime/connection_key.hpp"

/// One connection alone: messages and answers in, frames and requests out.
namespace realtime {
namespace {

using namespace std::chrono_literals;
namespace flag = protocol::flag;
namespace limits = base::limits;
using protocol::PresenceAction;

const Time start = base::from_ms(1'800'000'000'000);

struct SilentTransport final : Transport {
    void send(const protocol::FramePtr&) override {}
    void ping() override { ++pings; }
    bool was_idle() override { return idle; }
    bool was_heard() override { return heard; }
    void set_reading(bool) override {}
    void finish() override {}
    int pings = 0;
    bool idle = true, heard = true;
};

/// "room" through a filter.
const std::string tagged = "[filter=" + base::base64_encode("headers.tag == 'a'") + "]room";

auth::Capability capability(std::string_view json) { return auth::Capability::parse(json).value(); }

class ConnectionTest : public testing::Test {
protected:
    ConnectionTest() {
        identity = {.app = apps.find("app"), .key_name = "app.key", .client_id = "ann", .capability = auth::Capability::all()};
    }

    void connect() {
        connection.connected(transport, identity, options, std::nullopt, out);
        clear();
    }
    void receive(ProtocolMessage message) { connection.receive(std::move(message), now, out); }
    void clear() { out = {}; }
    /// As the hub does at the end of a turn.
    void acknowledge() {
        if (std::exchange(out.answered, false)) connection.acknowledge(out);
    }

    std::vector<ProtocolMessage> frames() {
        acknowledge();
        std::vector<ProtocolMessage> all;
        for (const auto& step : out.steps) {
            if (const auto* frame = std::get_if<ProtocolMessage>(&step)) all.push_back(*frame);
        }
        return all;
    }
    ProtocolMessage only_frame() {
        EXPECT_EQ(frames().size(), 1u);
        return frames().empty() ? ProtocolMessage{} : frames().front();
    }
    template <class T>
    std::vector<T> requests() const {
        std::vector<T> all;
        for (const auto& step : out.steps) {
            if (const auto* request = std::get_if<Request>(&step)) {
                if (const auto* wanted = std::get_if<T>(request)) all.push_back(*wanted);
            }
        }
        return all;
    }

    void attach(const std::string& channel, std::int64_t flags = 0) {
        receive({.action = Action::attach, .flags = flags, .channel = channel});
        const auto request = requests<AttachRequest>().back();
        connection.on_attached(request.name, request.number, Attached{}, out);
        clear();
    }
    void publish(std::int64_t msg_serial, protocol::Message message, const std::string& channel = "room") {
        receive({.action = Action::message, .msg_serial = msg_serial, .channel = channel, .messages = {std::move(message)}});
    }
    void enter(std::int64_t msg_serial, protocol::PresenceMessage member, const std::string& channel = "room") {
        receive({.action = Action::presence, .msg_serial = msg_serial, .channel = channel, .presence = {std::move(member)}});
    }
    ErrorCode refusal() {
        const auto frame = only_frame();
        return frame.error ? frame.error->code : ErrorCode{};
    }

    auth::test::OneApp apps;
    ServerFacts facts{.apps = apps, .server_id = "srv", .connection_secret = "s", .epoch = 7};
    auth::Identity identity;
    Connection::Options options;
    SilentTransport transport;
    Connection connection{facts, "conn"};
    Outbox out;
    Time now = start;
};

TEST_F(ConnectionTest, RTN4b_CD2_connected_says_who_one_is_and_what_the_bounds_are) {
    connection.connected(transport, identity, options, std::nullopt, out);
    const auto connected = only_frame();
    EXPECT_EQ(connected.action, Action::connected);
    EXPECT_EQ(connected.connection_id, "conn");
    const auto& key = connected.connection_details->connection_key;
    EXPECT_EQ(check_connection_key(key, "s"), (ConnectionKey{"conn", 7, key.substr(key.find('!') + 13, 8)}));
    EXPECT_EQ(connected.connection_details,
              (protocol::ConnectionDetails{.client_id = "ann", .connection_key = key, .server_id = "srv",
                                           .max_message_size = 65'536, .max_frame_size = 524'288, .max_inbound_rate = 0,
                                           .connection_state_ttl_ms = 120'000, .max_idle_interval_ms = 15'000}));
}

TEST_F(ConnectionTest, RTN15c7_a_failed_resume_is_told_in_connected) {
    const base::Error expired{ErrorCode::unable_to_recover_connection_expired, "expired"};
    connection.connected(transport, identity, options, expired, out);
    EXPECT_EQ(only_frame().error, expired);
}

TEST_F(ConnectionTest, RTN13_a_heartbeat_is_answered_with_its_id) {
    connect();
    receive({.action = Action::heartbeat, .id = "ping-1"});
    EXPECT_EQ(only_frame(), (ProtocolMessage{.action = Action::heartbeat, .id = "ping-1"}));
}

TEST_F(ConnectionTest, RTL4c_attach_asks_the_home_shard_and_answers_attached_before_any_message) {
    connect();
    receive({.action = Action::attach, .channel = "room"});
    const auto request = requests<AttachRequest>().at(0);
    EXPECT_TRUE(frames().empty());
    clear();

    auto entry = std::make_shared<broker::Entry>();
    entry->position = {.wal = {}, .epoch = 7, .count = 2};
    entry->message = {.action = Action::message, .channel = "room", .channel_serial = "m2", .messages = {{.data = "replayed"}}};
    Attached attached{
        .replay = {.start = {.wal = {}, .epoch = 7, .count = 1}, .entries = {entry}, .tail = entry->position, .complete = true}};
    connection.on_attached("room", request.number, attached, out);

    ASSERT_EQ(frames().size(), 2u);
    EXPECT_EQ(frames()[0], (ProtocolMessage{.action = Action::attached, .flags = flag::default_modes | flag::has_backlog, .channel = "room",
                                            .channel_serial = "m00000000007-0000000001"}));
    EXPECT_EQ(frames()[1], entry->message);
    EXPECT_EQ(requests<ListenRequest>().size(), 1u);  // behind both: live messages come after what is replayed
    EXPECT_TRUE(std::holds_alternative<Request>(out.steps.back()));
}

TEST_F(ConnectionTest, RTL4c1_a_channel_serial_asks_to_resume_and_TR3c_resumed_is_set_when_that_went_well) {
    connect();
    receive({.action = Action::attach, .channel = "room", .channel_serial = "m00000000007-0000000005", .params = {{"rewind", "3"}}});
    const auto request = requests<AttachRequest>().at(0);
    EXPECT_EQ(request.from.after, (broker::Position{.wal = {}, .epoch = 7, .count = 5}));
    EXPECT_FALSE(request.from.last_messages);
    clear();
    connection.on_attached("room", request.number, Attached{.resumed = true}, out);
    EXPECT_NE(only_frame().flags & flag::resumed, 0);
}

TEST_F(ConnectionTest, a_filter_follows_the_channel_itself_and_subscribes_only) {
    identity.capability = capability(R"({"[filter]room":["*"]})");
    connect();
    attach(tagged);
    EXPECT_EQ(connection.attachment(tagged)->channel, "room");
    EXPECT_EQ(connection.attachment(tagged)->modes, flag::subscribe);
    publish(0, {.data = "d"}, tagged);
    EXPECT_EQ(refusal(), ErrorCode::invalid_channel_name);
    clear();
    enter(1, {.action = PresenceAction::enter}, tagged);
    EXPECT_EQ(refusal(), ErrorCode::capability_denied);
}

TEST_F(ConnectionTest, a_filter_needs_a_capability_for_the_qualifier_and_subscribe) {
    for (const auto* enough : {R"({"[filter]room":["subscribe"]})", R"({"[*]room":["subscribe"]})", R"({"[*]*":["*"]})"}) {
        identity.capability = capability(enough);
        connect();
        receive({.action = Action::attach, .channel = tagged});
        EXPECT_EQ(requests<AttachRequest>().size(), 1u) << enough;
        clear();
    }
    for (const auto* little : {R"({"*":["*"]})", R"({"room":["*"]})", R"({"[meta]*":["*"]})", R"({"[filter]*":["publish"]})"}) {
        identity.capability = capability(little);
        connect();
        receive({.action = Action::attach, .channel = tagged});
        EXPECT_EQ(refusal(), ErrorCode::capability_denied) << little;
    }
}

TEST_F(ConnectionTest, a_filter_that_cannot_be_read_is_refused_to_who_may_filter) {
    const std::string odd_base64 = "[filter=a]room", no_expression = "[filter=" + base::base64_encode("name ==") + "]room";
    for (const auto& name : {odd_base64, no_expression, std::string{"[filter=]room"}}) {
        identity.capability = auth::Capability::all();
        connect();
        receive({.action = Action::attach, .channel = name});
        EXPECT_EQ(refusal(), ErrorCode::capability_denied) << name;
        identity.capability = capability(R"({"[*]*":["*"]})");
        connect();
        receive({.action = Action::attach, .channel = name});
        EXPECT_EQ(refusal(), ErrorCode::invalid_channel_name) << name;
    }
}

TEST_F(ConnectionTest, RTL12_through_a_filter_one_is_told_now_and_then_how_far_the_channel_is) {
    identity.capability = capability(R"({"[*]*":["*"]})");
    connect();
    attach("room");
    attach(tagged);
    connection.tick(now, out);
    EXPECT_TRUE(requests<AttachRequest>().empty());
    now += limits::retention / 3;
    connection.tick(now, out);
    const auto asked = requests<AttachRequest>();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].name, tagged);
    EXPECT_FALSE(asked[0].from.after || asked[0].from.last_messages || asked[0].from.since);
    clear();
    const broker::Position tail{.wal = {}, .epoch = 7, .count = 9};
    connection.on_attached(tagged, asked[0].number, Attached{.replay = {.start = tail, .tail = tail}}, out);
    EXPECT_EQ(only_frame().flags, flag::subscribe | flag::resumed);
    EXPECT_EQ(only_frame().channel_serial, broker::to_serial(tail));
    clear();
    connection.tick(now, out);
    EXPECT_TRUE(requests<AttachRequest>().empty());
}

TEST_F(ConnectionTest, RTC8a1_a_filtered_attachment_ends_with_its_capability) {
    identity.capability = capability(R"({"[filter]room":["subscribe"],"room":["subscribe"]})");
    connect();
    attach("room");
    attach(tagged);
    const auto token = auth::issue_token(*apps.find_key("app.key"), {.capability = R"({"room":["subscribe"]})"}, true, now);
    receive({.action = Action::auth, .access_token = token->token});
    EXPECT_EQ(connection.attachment(tagged), nullptr);
    EXPECT_NE(connection.attachment("room"), nullptr);
}

TEST_F(ConnectionTest, TB2c_rewind_by_count_time_and_qualified_name) {
    connect();
    receive({.action = Action::attach, .channel = "a", .params = {{"rewind", "5"}}});
    receive({.action = Action::attach, .channel = "b", .params = {{"rewind", "30s"}}});
    receive({.action = Action::attach, .channel = "[?rewind=1m]c"});
    const auto asked = requests<AttachRequest>();
    EXPECT_EQ(asked.at(0).from.last_messages, 5u);
    EXPECT_EQ(asked.at(1).from.since, start - 30s);
    EXPECT_EQ(asked.at(2).from.since, start - 60s);
    EXPECT_EQ(asked.at(2).channel, "c");
    EXPECT_EQ(asked.at(2).name, "[?rewind=1m]c");
}

TEST_F(ConnectionTest, RTL4j_who_comes_back_does_not_rewind) {
    connect();
    const std::map<std::string, std::string> rewind{{"rewind", "3"}};
    receive({.action = Action::attach, .flags = flag::attach_resume, .channel = "a", .params = rewind});
    receive({.action = Action::attach, .channel = "b", .channel_serial = "of another server", .params = rewind});
    receive({.action = Action::attach, .channel = "c", .params = rewind});
    const auto asked = requests<AttachRequest>();
    EXPECT_FALSE(asked.at(0).from.last_messages);
    EXPECT_FALSE(asked.at(1).from.last_messages || asked.at(1).from.after);
    EXPECT_EQ(asked.at(2).from.last_messages, 3u);
}

TEST_F(ConnectionTest, TB2c_a_rewind_that_is_none_is_refused_and_the_connection_goes_on) {
    connect();
    receive({.action = Action::attach, .channel = "room", .params = {{"rewind", "soon"}}});
    EXPECT_EQ(only_frame().channel, "room");
    EXPECT_EQ(refusal(), ErrorCode::invalid_parameter_value);
    EXPECT_FALSE(out.ended);
}

TEST_F(ConnectionTest, a_rewind_that_had_to_leave_some_out_says_so) {
    connect();
    receive({.action = Action::attach, .channel = "room", .params = {{"rewind", "1m"}}});
    const auto number = requests<AttachRequest>().at(0).number;
    clear();
    connection.on_attached("room", number, Attached{.replay = {.truncated = true}}, out);
    EXPECT_EQ(only_frame().action, Action::attached);
    EXPECT_EQ(refusal(), ErrorCode::channel_message_limit_exceeded);
}

TEST_F(ConnectionTest, RTL4k_RTL4m_the_param_modes_wins_over_the_flags_and_is_told_as_granted) {
    identity.capability = capability(R"({"room":["subscribe"]})");
    connect();
    const auto flags = flag::publish | flag::presence;
    receive({.action = Action::attach, .flags = flags, .channel = "room", .params = {{"modes", "subscribe,publish"}}});
    const auto request = requests<AttachRequest>().at(0);
    EXPECT_EQ(request.as.modes, flag::subscribe);
    connection.on_attached("room", request.number, Attached{}, out);
    EXPECT_EQ(only_frame().flags & flag::all_modes, flag::subscribe);
    EXPECT_EQ(only_frame().params, (std::map<std::string, std::string>{{"modes", "subscribe"}}));
}

TEST_F(ConnectionTest, RTC8a1_what_was_asked_for_in_vain_is_granted_by_a_better_token) {
    identity.capability = capability(R"({"room":["subscribe"],"other":["*"]})");
    connect();
    attach("room", flag::subscribe | flag::publish);
    attach("other");
    const auto token = auth::issue_token(*apps.find_key("app.key"), {.client_id = "ann"}, true, now).value();
    receive({.action = Action::auth, .access_token = token.token});
    EXPECT_EQ(only_frame().action, Action::connected);
    const auto asked = requests<AttachRequest>();
    ASSERT_EQ(asked.size(), 1u);  // the other had it all
    EXPECT_EQ(asked[0].as.modes, flag::subscribe | flag::publish);
    EXPECT_EQ(asked[0].before->modes, flag::subscribe);
    clear();
    connection.on_attached("room", asked[0].number, Attached{}, out);
    EXPECT_EQ(only_frame().flags, flag::subscribe | flag::publish | flag::resumed);
    EXPECT_EQ(connection.attachment("room")->modes, flag::subscribe | flag::publish);
}

TEST_F(ConnectionTest, a_channel_without_a_name_fails_alone) {
    connect();
    receive({.action = Action::attach});
    EXPECT_EQ(refusal(), ErrorCode::invalid_channel_name);
    EXPECT_EQ(protocol::encode(protocol::Format::json, only_frame()).find(R"({"action":9,"channel":"")"), 0u);
    clear();
    receive({.action = Action::detach});
    EXPECT_EQ(protocol::encode(protocol::Format::json, only_frame()), R"({"action":13,"channel":""})");
    clear();
    receive({.action = Action::sync});
    EXPECT_EQ(refusal(), ErrorCode::invalid_channel_state);
    clear();
    publish(0, {.data = "d"}, "");
    EXPECT_EQ(only_frame().action, Action::nack);
    clear();
    enter(1, {.action = PresenceAction::enter}, "");
    EXPECT_EQ(only_frame().action, Action::nack);
    EXPECT_FALSE(out.ended);
}

TEST_F(ConnectionTest, RTP19_a_client_that_asks_who_is_present_is_told) {
    connect();
    attach("room");
    receive({.action = Action::sync, .channel = "room"});
    ASSERT_EQ(requests<SyncRequest>().size(), 1u);
    clear();
    connection.on_members("room", {{.client_id = "bob"}}, out);
    const auto first = only_frame();
    EXPECT_EQ(first.action, Action::sync);
    EXPECT_EQ(first.presence.size(), 1u);
    EXPECT_TRUE(first.channel_serial.ends_with(':'));
    clear();
    connection.on_members("room", {}, out);
    EXPECT_NE(only_frame().channel_serial, first.channel_serial);  // another sync, and the whole of it
    EXPECT_TRUE(only_frame().channel_serial.ends_with(':'));
    clear();
    attach("deaf", flag::publish);
    receive({.action = Action::sync, .channel = "deaf"});
    EXPECT_EQ(refusal(), ErrorCode::capability_denied);
}

TEST_F(ConnectionTest, RTL4m_modes_are_those_asked_for_that_the_capability_allows) {
    identity.capability = capability(R"({"room":["subscribe"]})");
    connect();
    receive({.action = Action::attach, .channel = "room"});
    connection.on_attached("room", requests<AttachRequest>().at(0).number, Attached{}, out);
    EXPECT_EQ(only_frame().flags & flag::all_modes, flag::subscribe | flag::presence_subscribe);
}

TEST_F(ConnectionTest, a_channel_outside_the_capability_is_refused_and_only_that_channel) {
    identity.capability = capability(R"({"other":["subscribe"]})");
    connect();
    receive({.action = Action::attach, .channel = "room"});
    EXPECT_EQ(only_frame().action, Action::error);
    EXPECT_EQ(only_frame().channel, "room");
    EXPECT_EQ(refusal(), ErrorCode::capability_denied);
    EXPECT_FALSE(out.ended);
}

TEST_F(ConnectionTest, RTL16_a_reattach_goes_on_where_it_is) {
    connect();
    attach("room");
    receive({.action = Action::attach, .flags = flag::subscribe, .channel = "room", .channel_serial = "m00000000007-0000000001"});
    const auto request = requests<AttachRequest>().at(0);
    EXPECT_TRUE(request.before.has_value());
    EXPECT_EQ(request.from.after, std::nullopt);  // what is on its way to the client would come twice
    clear();
    connection.on_attached("room", request.number, Attached{}, out);
    EXPECT_EQ(only_frame().flags, flag::subscribe | flag::resumed);
    EXPECT_EQ(connection.attachment("room")->modes, flag::subscribe);
}

TEST_F(ConnectionTest, RTL18c_who_asks_for_the_same_anew_goes_on_from_its_channel_serial) {
    connect();
    attach("room");
    receive({.action = Action::attach, .channel = "room", .channel_serial = "m00000000007-0000000001"});
    EXPECT_EQ(requests<AttachRequest>().at(0).from.after, (broker::Position{.wal = {}, .epoch = 7, .count = 1}));
}

TEST_F(ConnectionTest, TR3c_an_attachment_that_could_not_resume_says_so) {
    connect();
    receive({.action = Action::attach, .channel = "room", .channel_serial = "m00000000007-0000000005"});
    const auto number = requests<AttachRequest>().at(0).number;
    clear();
    connection.on_attached("room", number, Attached{.gap = true}, out);
    EXPECT_EQ(only_frame().flags & flag::resumed, 0);
    EXPECT_EQ(only_frame().error->code, ErrorCode::channel_messages_expired);
}

TEST_F(ConnectionTest, CHM2_an_attachment_with_occupancy_is_told_at_once_what_it_asked_for) {
    connect();
    receive({.action = Action::attach, .channel = "room", .params = {{"occupancy", "metrics.subscribers"}}});
    const auto request = requests<AttachRequest>().at(0);
    EXPECT_TRUE(request.as.wants_occupancy);
    clear();
    connection.on_attached("room", request.number, Attached{.occupancy = {.connections = 3, .subscribers = 2}}, out);
    ASSERT_EQ(frames().size(), 2u);
    EXPECT_EQ(frames()[0].params, (std::map<std::string, std::string>{{"occupancy", "metrics.subscribers"}}));
    const auto told = frames()[1].messages.at(0);
    EXPECT_EQ(told.name, "[meta]occupancy");
    EXPECT_EQ(told.data, protocol::Data{R"({"metrics":{"subscribers":2}})"});
    EXPECT_EQ(frames()[1].channel_serial, "");
}

TEST_F(ConnectionTest, what_is_not_here_is_refused_and_the_connection_goes_on) {
    connect();
    receive({.action = Action::object, .msg_serial = 0, .channel = "room"});
    EXPECT_EQ(only_frame().action, Action::nack);
    EXPECT_EQ(only_frame().error->code, ErrorCode::feature_not_available);
    EXPECT_FALSE(out.ended);
    clear();
    receive({.action = Action::attach, .flags = flag::subscribe | flag::object_subscribe, .channel = "room"});
    EXPECT_EQ(requests<AttachRequest>().at(0).as.modes, flag::subscribe);
}

TEST_F(ConnectionTest, an_answer_to_an_attach_that_was_overtaken_by_a_detach_is_void) {
    connect();
    receive({.action = Action::attach, .channel = "room"});
    const auto number = requests<AttachRequest>().at(0).number;
    receive({.action = Action::detach, .channel = "room"});
    EXPECT_EQ(requests<DetachRequest>().size(), 1u);
    clear();
    connection.on_attached("room", number, Attached{}, out);
    EXPECT_TRUE(out.steps.empty());
}

TEST_F(ConnectionTest, RTL5_detach_is_answered_whether_attached_or_not) {
    connect();
    receive({.action = Action::detach, .channel = "never"});
    EXPECT_EQ(only_frame(), (ProtocolMessage{.action = Action::detached, .channel = "never"}));
    EXPECT_TRUE(requests<DetachRequest>().empty());
}

TEST_F(ConnectionTest, a_connection_attaches_to_so_many_channels_and_no_more) {
    connect();
    for (std::size_t i = 0; i < limits::channels_per_connection_max; ++i) attach(std::to_string(i));
    receive({.action = Action::attach, .channel = "one-more"});
    EXPECT_EQ(refusal(), ErrorCode::channel_limit_exceeded);
}

TEST_F(ConnectionTest, RTP18_members_are_synced_in_pages_the_last_without_a_cursor) {
    connect();
    receive({.action = Action::attach, .channel = "room"});
    Attached attached;
    for (std::size_t i = 0; i < limits::presence_sync_page + 1; ++i) attached.members.push_back({.client_id = std::to_string(i)});
    connection.on_attached("room", requests<AttachRequest>().at(0).number, attached, out);
    const auto sent = frames();
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_NE(sent[0].flags & flag::has_presence, 0);
    EXPECT_EQ(sent[1].channel_serial, "1:100");
    EXPECT_EQ(sent[1].presence.size(), limits::presence_sync_page);
    EXPECT_EQ(sent[2].channel_serial, "1:");
    EXPECT_EQ(sent[2].presence.size(), 1u);
}

TEST_F(ConnectionTest, RTL6_a_publish_is_stamped_with_who_it_is_from) {
    connect();
    publish(4, {.connection_id = "forged", .name = "chatMsg", .data = "hi", .serial = "forged"});
    const auto request = requests<PublishRequest>().at(0);
    EXPECT_EQ(request.draft.message, (ProtocolMessage{.action = Action::message, .id = "conn:4", .channel = "room", .connection_id = "conn",
                                                .messages = {{.id = "conn:4:0", .client_id = "ann", .name = "chatMsg", .data = "hi"}}}));
}

TEST_F(ConnectionTest, RSL1k_an_id_of_the_publishers_own_is_kept) {
    connect();
    publish(0, {.id = "mine", .data = "hi"});
    EXPECT_EQ(requests<PublishRequest>().at(0).draft.message.messages.at(0).id, "mine");
}

TEST_F(ConnectionTest, an_id_with_a_control_character_in_it_is_refused) {
    connect();
    publish(0, {.id = std::string{"a\0b", 3}, .data = "hi"});
    EXPECT_EQ(refusal(), ErrorCode::bad_request);
}

TEST_F(ConnectionTest, TR4j_a_msg_serial_is_a_number_that_can_be_counted_on_from) {
    for (const auto serial : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
        Connection another{facts, "another"};
        another.connected(transport, identity, options, std::nullopt, out);
        clear();
        another.receive({.action = Action::message, .msg_serial = serial, .channel = "room", .messages = {{.data = "x"}}}, now, out);
        EXPECT_EQ(refusal(), ErrorCode::bad_request);
        EXPECT_TRUE(out.ended);
    }
}

TEST_F(ConnectionTest, RTL6g_nobody_publishes_as_another) {
    connect();
    publish(0, {.client_id = "bob", .data = "hi"});
    EXPECT_EQ(only_frame().action, Action::nack);
    EXPECT_EQ(refusal(), ErrorCode::invalid_client_id);
}

TEST_F(ConnectionTest, RSA7b4_a_wildcard_may_be_anyone_but_not_the_wildcard) {
    identity.client_id = "*";
    connect();
    publish(0, {.client_id = "bob", .data = "hi"});
    EXPECT_EQ(requests<PublishRequest>().at(0).draft.message.messages.at(0).client_id, "bob");
    clear();
    publish(1, {.client_id = "*", .data = "hi"});
    connection.on_published(0, std::vector<std::string>{"s0"}, out);
    ASSERT_EQ(frames().size(), 2u);
    EXPECT_EQ(frames()[1].error->code, ErrorCode::invalid_client_id);
}

TEST_F(ConnectionTest, TM6_a_message_of_the_greatest_size_passes_and_one_byte_more_does_not) {
    connect();
    identity.client_id.clear();
    publish(0, {.data = std::string(limits::message_bytes_max, 'x')});
    EXPECT_EQ(requests<PublishRequest>().size(), 1u);
    clear();
    publish(1, {.data = std::string(limits::message_bytes_max + 1, 'x')});
    connection.on_published(0, std::vector<std::string>{}, out);
    EXPECT_EQ(frames().at(1).error->code, ErrorCode::message_too_large);
}

TEST_F(ConnectionTest, RTN7a_acks_go_out_in_the_order_of_publishing_a_run_in_one) {
    connect();
    for (int i = 0; i < 4; ++i) publish(i, {.data = "x"});
    clear();
    connection.on_published(1, std::vector<std::string>{"s1"}, out);
    EXPECT_TRUE(frames().empty());
    connection.on_published(0, std::vector<std::string>{"s0"}, out);
    EXPECT_EQ(only_frame(), (ProtocolMessage{.action = Action::ack, .count = 2, .msg_serial = 0, .res = {{{"s0"}}, {{"s1"}}}}));
    clear();
    connection.on_published(3, std::vector<std::string>{"s3"}, out);
    connection.on_published(2, base::fail(ErrorCode::timeout, "late"), out);
    ASSERT_EQ(frames().size(), 2u);
    EXPECT_EQ(
        frames()[0],
        (ProtocolMessage{.action = Action::nack, .count = 1, .msg_serial = 2, .error = base::Error{ErrorCode::timeout, "late"}}));
    EXPECT_EQ(frames()[1], (ProtocolMessage{.action = Action::ack, .count = 1, .msg_serial = 3, .res = {{{"s3"}}}}));
}

TEST_F(ConnectionTest, a_client_with_too_much_in_flight_is_congested_until_it_is_acknowledged) {
    connect();
    for (std::size_t i = 0; i < limits::publishes_in_flight_max; ++i) publish(static_cast<std::int64_t>(i), {.data = "x"});
    EXPECT_TRUE(connection.congested());
    connection.on_published(0, std::vector<std::string>{}, out);
    acknowledge();
    EXPECT_FALSE(connection.congested());
}

TEST_F(ConnectionTest, a_server_that_winds_down_takes_nothing_more_and_still_acknowledges) {
    connect();
    publish(0, {.data = "d"});
    connection.wind_down();
    EXPECT_TRUE(connection.congested());
    EXPECT_TRUE(connection.owes_acknowledgements());
    clear();
    connection.on_published(0, std::vector<std::string>{"s"}, out);
    EXPECT_EQ(only_frame().action, Action::ack);
    EXPECT_FALSE(connection.owes_acknowledgements());
    EXPECT_TRUE(connection.congested());
}

TEST_F(ConnectionTest, RTP8_presence_needs_an_attachment_with_the_mode_and_a_client_id) {
    connect();
    enter(0, {.action = PresenceAction::enter});
    EXPECT_EQ(refusal(), ErrorCode::invalid_channel_state);
    clear();
    attach("subscribing", flag::subscribe);
    enter(1, {.action = PresenceAction::enter}, "subscribing");
    EXPECT_EQ(refusal(), ErrorCode::capability_denied);
    clear();
    attach("room");
    enter(2, {.data = "hello", .action = PresenceAction::enter});
    EXPECT_EQ(requests<PublishRequest>().at(0).draft.message.presence,
              (std::vector<protocol::PresenceMessage>{
                  {.id = "conn:2:0", .client_id = "ann", .connection_id = "conn", .data = "hello", .action = PresenceAction::enter}}));
    clear();
    enter(3, {.action = PresenceAction::present});
    connection.on_published(2, std::vector<std::string>{}, out);
    EXPECT_EQ(frames().at(1).error->code, ErrorCode::bad_request);
}

TEST_F(ConnectionTest, RTP8_who_has_no_client_id_is_not_present) {
    identity.client_id.clear();
    connect();
    attach("room");
    enter(0, {.action = PresenceAction::enter});
    EXPECT_EQ(refusal(), ErrorCode::presence_no_client_id);
}

TEST_F(ConnectionTest, members_of_a_dropped_connection_leave_after_the_grace_period_and_its_right_to_resume_ends_later) {
    connect();
    attach("room");
    enter(0, {.action = PresenceAction::enter});
    clear();
    connection.transport_lost(now, out);
    EXPECT_TRUE(requests<LeaveRequest>().empty());
    EXPECT_EQ(requests<DetachRequest>().size(), 1u);
    connection.tick(now + limits::presence_grace - 1ms, out);
    EXPECT_TRUE(requests<LeaveRequest>().empty());
    connection.tick(now + limits::presence_grace, out);
    EXPECT_EQ(requests<LeaveRequest>().size(), 1u);
    connection.tick(now + limits::connection_state_ttl - 1ms, out);
    EXPECT_FALSE(out.ended);
    connection.tick(now + limits::connection_state_ttl, out);
    EXPECT_TRUE(out.ended);
    EXPECT_EQ(requests<LeaveRequest>().size(), 1u);
}

TEST_F(ConnectionTest, RTP5a_who_detaches_is_present_no_longer) {
    connect();
    attach("room");
    attach("[?rewind=1]room");
    enter(0, {.action = PresenceAction::enter});
    clear();
    receive({.action = Action::detach, .channel = "room"});
    EXPECT_TRUE(requests<LeaveRequest>().empty());
    receive({.action = Action::detach, .channel = "[?rewind=1]room"});
    EXPECT_EQ(requests<LeaveRequest>().size(), 1u);
    connection.transport_lost(now, out);
    connection.tick(now + 1h, out);
    EXPECT_EQ(requests<LeaveRequest>().size(), 1u);
}

TEST_F(ConnectionTest, who_has_entered_as_many_members_as_it_may_can_still_update_them_and_leave) {
    identity.client_id = "*";
    connect();
    attach("room");
    ProtocolMessage all{.action = Action::presence, .msg_serial = 0, .channel = "room"};
    for (std::size_t i = 0; i < limits::presence_members_per_connection_max; ++i) {
        all.presence.push_back({.client_id = "c" + std::to_string(i), .action = PresenceAction::enter});
    }
    receive(all);
    enter(1, {.client_id = "c0", .action = PresenceAction::update});
    enter(2, {.client_id = "c0", .action = PresenceAction::leave});
    EXPECT_EQ(requests<PublishRequest>().size(), 3u);
    enter(3, {.client_id = "new", .action = PresenceAction::enter});
    enter(4, {.client_id = "newer", .action = PresenceAction::enter});
    EXPECT_EQ(requests<PublishRequest>().size(), 4u);
}

TEST_F(ConnectionTest, a_refused_attach_is_counted_no_longer) {
    connect();
    receive({.action = Action::attach, .channel = "room"});
    const auto request = requests<AttachRequest>().back();
    connection.on_attached(request.name, request.number, base::fail(ErrorCode::unavailable, "away"), out);
    EXPECT_EQ(requests<DetachRequest>().size(), 1u);
    EXPECT_EQ(only_frame().action, Action::detached);
}

TEST_F(ConnectionTest, RTN12_close_is_answered_and_members_leave_at_once) {
    connect();
    attach("room");
    enter(0, {.action = PresenceAction::enter});
    clear();
    receive({.action = Action::close});
    EXPECT_EQ(only_frame().action, Action::closed);
    EXPECT_EQ(requests<LeaveRequest>().size(), 1u);
    EXPECT_TRUE(out.ended);
}

TEST_F(ConnectionTest, RTN23_an_idle_client_is_kept_awake_in_the_way_it_asked_for) {
    connect();
    connection.tick(now, out);
    EXPECT_EQ(only_frame().action, Action::heartbeat);
    clear();
    options.heartbeats = false;
    connect();
    connection.tick(now, out);
    EXPECT_TRUE(frames().empty());
    EXPECT_EQ(transport.pings, 1);
    transport.idle = false;
    connection.tick(now, out);
    EXPECT_EQ(transport.pings, 1);
}

TEST_F(ConnectionTest, a_silent_client_is_pinged_whatever_it_asked_for_and_given_up_when_it_does_not_answer) {
    transport.idle = false;
    connect();
    connection.tick(start, out);
    transport.heard = false;
    connection.tick(start + limits::max_idle_interval - 1s, out);
    EXPECT_EQ(transport.pings, 0);
    connection.tick(start + limits::max_idle_interval, out);
    EXPECT_EQ(transport.pings, 1);
    transport.heard = true;
    connection.tick(start + limits::silence_max, out);
    transport.heard = false;
    connection.tick(start + 2 * limits::silence_max - 1s, out);
    EXPECT_FALSE(out.dropped);
    EXPECT_TRUE(frames().empty());
    connection.tick(start + 2 * limits::silence_max, out);
    EXPECT_EQ(only_frame().action, Action::disconnected);
    EXPECT_TRUE(out.dropped);
}

TEST_F(ConnectionTest, RTN22_a_client_is_asked_for_a_new_token_and_RTN15h_disconnected_when_there_is_none) {
    transport.idle = false;
    identity.expires = start + 60s;
    connect();
    connection.tick(start + 31s, out);
    connection.tick(start + 32s, out);
    EXPECT_EQ(only_frame().action, Action::auth);
    clear();
    connection.tick(start + 60s, out);
    EXPECT_EQ(only_frame().action, Action::disconnected);
    EXPECT_EQ(refusal(), ErrorCode::token_expired);
    EXPECT_TRUE(out.dropped);
}

TEST_F(ConnectionTest, RTC8a_a_new_token_is_answered_with_connected_and_what_it_no_longer_allows_fails) {
    connect();
    attach("kept");
    attach("lost");
    const auto& key = *apps.find_key("app.key");
    const auto token =
        auth::issue_token(key, {.key_name = key.name, .client_id = "ann", .capability = R"({"kept":["*"]})"}, true, now).value();
    receive({.action = Action::auth, .access_token = token.token});
    ASSERT_EQ(frames().size(), 2u);
    EXPECT_EQ(frames()[0].channel, "lost");
    EXPECT_EQ(frames()[0].error->code, ErrorCode::capability_denied);
    EXPECT_EQ(frames()[1].action, Action::connected);
    EXPECT_NE(connection.attachment("kept"), nullptr);
    EXPECT_EQ(connection.attachment("lost"), nullptr);
}

TEST_F(ConnectionTest, RTC8a3_a_token_for_somebody_else_ends_the_connection) {
    connect();
    const auto& key = *apps.find_key("app.key");
    const auto token = auth::issue_token(key, {.key_name = key.name, .client_id = "bob"}, true, now).value();
    receive({.action = Action::auth, .access_token = token.token});
    EXPECT_EQ(only_frame().action, Action::error);
    EXPECT_EQ(refusal(), ErrorCode::incompatible_credentials);
    EXPECT_TRUE(out.ended);
}

TEST_F(ConnectionTest, what_only_a_server_sends_is_refused) {
    for (const auto action : {Action::ack, Action::connected, Action::attached, Action::object, Action::annotation}) {
        Connection another{facts, "another"};
        another.connected(transport, identity, options, std::nullopt, out);
        clear();
        another.receive({.action = action}, now, out);
        EXPECT_EQ(only_frame().action, Action::error) << static_cast<int>(action);
        EXPECT_TRUE(out.ended);
    }
}

}  // namespace
}  // namespace realtime
