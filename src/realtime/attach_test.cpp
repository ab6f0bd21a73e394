#include "base/base64.hpp"
#include "realtime/connection.test.hpp"

/// What a connection attaches to: modes, params, filters, where it goes on, and who is present there.
namespace realtime {
namespace {

using namespace std::chrono_literals;
namespace flag = protocol::flag;
namespace limits = base::limits;
using protocol::PresenceAction;

/// "room" through a filter.
const std::string tagged = "[filter=" + base::base64_encode("headers.tag == 'a'") + "]room";

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

/// As every client may receive it.
std::size_t larger_frame(const ProtocolMessage& message) {
    return std::max(protocol::encode(protocol::Format::json, message).size(), protocol::encode(protocol::Format::msgpack, message).size());
}

TEST_F(ConnectionTest, RTP18_a_page_of_members_fits_a_frame_however_much_each_says) {
    connect();
    receive({.action = Action::attach, .channel = "room"});
    Attached attached;
    for (int i = 0; i < 70; ++i) {
        attached.members.push_back({.client_id = std::to_string(i), .data = std::string(i % 2 == 0 ? 60'000 : 10, '\1')});
    }
    connection.on_attached("room", requests<AttachRequest>().at(0).number, attached, out);
    const auto sent = frames();
    std::size_t members = 0;
    for (std::size_t i = 1; i < sent.size(); ++i) {
        EXPECT_LE(larger_frame(sent[i]), limits::frame_bytes_max);
        EXPECT_EQ(sent[i].channel_serial == "1:", i + 1 == sent.size());
        members += sent[i].presence.size();
    }
    EXPECT_EQ(members, attached.members.size());
}

TEST_F(ConnectionTest, TB2c_messages_that_grew_since_they_were_published_together_are_replayed_in_frames_of_their_own) {
    connect();
    receive({.action = Action::attach, .channel = "room", .params = {{"rewind", "50"}}});
    auto entry = std::make_shared<broker::Entry>();
    entry->message = {.action = Action::message, .channel = "room", .channel_serial = "s"};
    for (int i = 0; i < 50; ++i) entry->message.messages.push_back({.id = std::to_string(i), .data = std::string(60'000, 'x')});
    Attached attached;
    attached.replay.entries.push_back(std::move(entry));
    connection.on_attached("room", requests<AttachRequest>().at(0).number, attached, out);
    const auto sent = frames();
    int messages = 0;
    for (std::size_t i = 1; i < sent.size(); ++i) {
        EXPECT_LE(larger_frame(sent[i]), limits::frame_bytes_max);
        EXPECT_EQ(sent[i].channel_serial, i + 1 == sent.size() ? "s" : "");  // who loses the connection before the end is told all anew
        for (const auto& each : sent[i].messages) EXPECT_EQ(each.id, std::to_string(messages++));
    }
    EXPECT_EQ(messages, 50);
}

}  // namespace
}  // namespace realtime
