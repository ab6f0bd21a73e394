#include "realtime/connection.test.hpp"
#include "realtime/connection_key.hpp"

namespace realtime {
namespace {

using namespace std::chrono_literals;
namespace flag = protocol::flag;
namespace limits = base::limits;
using protocol::PresenceAction;

TEST_F(ConnectionTest, RTN4b_CD2_connected_says_who_one_is_and_what_the_bounds_are) {
    connection.connected(transport, identity, options, std::nullopt, now, out);
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
    connection.connected(transport, identity, options, expired, now, out);
    EXPECT_EQ(only_frame().error, expired);
}

TEST_F(ConnectionTest, RTN13_a_heartbeat_is_answered_with_its_id) {
    connect();
    receive({.action = Action::heartbeat, .id = "ping-1"});
    EXPECT_EQ(only_frame(), (ProtocolMessage{.action = Action::heartbeat, .id = "ping-1"}));
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
        another.connected(transport, identity, options, std::nullopt, now, out);
        clear();
        another.receive({.action = Action::message, .msg_serial = serial, .channel = "room", .messages = {{.data = "x"}}}, now, out);
        EXPECT_EQ(refusal(), ErrorCode::bad_request);
        EXPECT_EQ(only_frame().channel, "room");
        EXPECT_FALSE(out.ended);
    }
}

TEST_F(ConnectionTest, a_frame_that_cannot_be_taken_is_answered_where_its_sender_waits) {
    connect();
    attach("room");
    const base::Error error{ErrorCode::invalid_body, "why"};
    connection.refuse({.msg_serial = 0, .channel = "room", .error = error}, out);
    acknowledge();
    EXPECT_EQ(only_frame(), (ProtocolMessage{.action = Action::nack, .count = 1, .msg_serial = 0, .error = error}));
    EXPECT_NE(connection.attachment("room"), nullptr);
    clear();
    connection.refuse({.msg_serial = -1, .channel = "room", .error = error}, out);
    EXPECT_EQ(only_frame(), (ProtocolMessage{.action = Action::error, .channel = "room", .error = error}));
    EXPECT_EQ(connection.attachment("room"), nullptr);
    EXPECT_EQ(requests<DetachRequest>().size(), 1u);
    EXPECT_FALSE(out.ended);
    clear();
    connection.refuse({.msg_serial = {}, .channel = {}, .error = error}, out);
    EXPECT_EQ(only_frame(), (ProtocolMessage{.action = Action::error, .error = error}));
    EXPECT_TRUE(out.ended);
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

TEST_F(ConnectionTest, an_ack_has_no_more_results_than_a_list_in_a_frame_may_have) {
    connect();
    const auto most = static_cast<std::int64_t>(limits::results_per_ack_max);
    for (std::int64_t i = 0; i <= most; ++i) publish(i, {.data = "x"});
    clear();
    for (std::int64_t i = 0; i <= most; ++i) connection.on_published(i, std::vector<std::string>{"s"}, out);
    ASSERT_EQ(frames().size(), 2u);
    EXPECT_EQ(frames()[0].count, most);
    EXPECT_EQ(frames()[0].res.size(), limits::results_per_ack_max);
    for (const auto format : {protocol::Format::json, protocol::Format::msgpack})
        EXPECT_TRUE(protocol::decode(format, protocol::encode(format, frames()[0])));
    EXPECT_EQ(frames()[1], (ProtocolMessage{.action = Action::ack, .count = 1, .msg_serial = most, .res = {{{"s"}}}}));
}

TEST_F(ConnectionTest, an_ack_of_many_messages_fits_a_frame) {
    connect();
    for (int i = 0; i < 20; ++i) publish(i, {.data = "x"});
    clear();
    const std::string serial(56, 's');
    for (int i = 0; i < 20; ++i) connection.on_published(i, std::vector(limits::messages_per_publish_max, serial), out);
    std::int64_t acknowledged = 0;
    for (const auto& frame : frames()) {
        acknowledged += frame.count;
        for (const auto format : {protocol::Format::json, protocol::Format::msgpack})
            EXPECT_LE(protocol::encode(format, frame).size(), limits::frame_bytes_max);
    }
    EXPECT_EQ(acknowledged, 20);
}

TEST_F(ConnectionTest, TP5_all_that_a_member_brings_counts) {
    connect();
    attach("room");
    const std::string most(limits::message_bytes_max, 'x');
    std::int64_t msg_serial = 0;
    for (const auto& member : {protocol::PresenceMessage{.id = most + "x"}, protocol::PresenceMessage{.encoding = most + "x"},
                               protocol::PresenceMessage{.encoding = "x", .data = most}, protocol::PresenceMessage{.data = most + "x"}}) {
        auto entering = member;
        entering.action = PresenceAction::enter;
        enter(msg_serial++, entering);
        EXPECT_EQ(refusal(), ErrorCode::message_too_large);
        clear();
    }
    enter(msg_serial++, {.id = std::string(limits::message_id_bytes_max + 1, 'x'), .action = PresenceAction::enter});
    EXPECT_EQ(refusal(), ErrorCode::bad_request);
    clear();
    enter(msg_serial++, {.encoding = "json/utf-8", .data = most.substr(3), .action = PresenceAction::enter});
    EXPECT_EQ(requests<PublishRequest>().size(), 1u);
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

TEST_F(ConnectionTest, RTN22_a_token_that_was_short_from_the_start_is_used_until_it_expires) {
    transport.idle = false;
    identity.expires = start + 30s;
    connect();
    for (const auto at : {0s, 1s, 15s, 29s}) connection.tick(start + at, out);
    EXPECT_TRUE(frames().empty());
    const auto& key = *apps.find_key("app.key");
    const auto renewed = auth::issue_token(key, {.key_name = key.name, .client_id = "ann", .ttl_ms = 20'000}, true, start + 29s).value();
    now = start + 29s;
    receive({.action = Action::auth, .access_token = renewed.token});
    EXPECT_EQ(only_frame().action, Action::connected);
    clear();
    connection.tick(start + 30s, out);
    EXPECT_TRUE(frames().empty());
    connection.tick(start + 49s, out);
    EXPECT_EQ(refusal(), ErrorCode::token_expired);
    EXPECT_EQ(protocol::http_status(ErrorCode::token_expired), 401);
    EXPECT_TRUE(out.dropped);
}

TEST_F(ConnectionTest, a_publish_can_ask_to_be_refused) {
    connect();
    attach("room");
    const std::map<std::string, std::string> forced{{"_forceNack", "true"}}, not_forced{{"_forceNack", "false"}};
    receive({.action = Action::message, .msg_serial = 0, .channel = "room", .params = forced, .messages = {{.data = "x"}}});
    EXPECT_EQ(only_frame().action, Action::nack);
    EXPECT_EQ(refusal(), ErrorCode::artificial_error);
    clear();
    receive({.action = Action::message, .msg_serial = 1, .channel = "room", .params = not_forced, .messages = {{.data = "x"}}});
    EXPECT_EQ(requests<PublishRequest>().size(), 1u);
    receive({.action = Action::attach, .channel = "other", .params = forced});
    EXPECT_EQ(requests<AttachRequest>().size(), 1u);
}

TEST_F(ConnectionTest, a_tokens_publish_rate_is_kept_to_by_channel) {
    auth::ChannelClaims claims;
    claims.add_publish_rate("*", 2);
    claims.add_publish_rate("slow", 0.1);
    claims.add_publish_rate("never", 0);
    identity.channel_claims = std::make_shared<const auth::ChannelClaims>(claims);
    connect();
    std::int64_t msg_serial = 0;
    const auto passes = [&](const std::string& channel) {
        clear();
        publish(msg_serial++, {.data = "x"}, channel);
        return !requests<PublishRequest>().empty();
    };
    EXPECT_TRUE(passes("slow"));
    EXPECT_FALSE(passes("slow"));
    EXPECT_FALSE(passes("[?rewind=1]slow"));
    now += 9'900ms;
    EXPECT_FALSE(passes("slow"));
    now += 200ms;
    EXPECT_TRUE(passes("slow"));
    EXPECT_FALSE(passes("never"));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(passes("room"));
    EXPECT_FALSE(passes("room"));
    EXPECT_TRUE(passes("other"));
    attach("room");
    clear();
    enter(msg_serial++, {.action = PresenceAction::enter});
    EXPECT_EQ(requests<PublishRequest>().size(), 1u);
    for (std::size_t i = 0; i < limits::channels_per_connection_max; ++i) passes("c" + std::to_string(i));
    EXPECT_FALSE(passes("one more"));
    now += 20s;
    EXPECT_TRUE(passes("one more"));
}

TEST_F(ConnectionTest, a_tokens_user_claim_is_stamped_on_what_it_publishes) {
    auth::ChannelClaims claims;
    claims.add_user_claim("room", "mod");
    identity.channel_claims = std::make_shared<const auth::ChannelClaims>(claims);
    connect();
    attach("room");
    publish(0, {.data = "x", .extras = {R"({"userClaim":"root"})"}});
    EXPECT_EQ(requests<PublishRequest>().back().draft.message.messages.at(0).extras.text, R"({"userClaim":"mod"})");
    enter(1, {.extras = {R"({"headers":{}})"}, .action = PresenceAction::enter});
    EXPECT_EQ(requests<PublishRequest>().back().draft.message.presence.at(0).extras.text, R"({"headers":{},"userClaim":"mod"})");
    receive({.action = Action::annotation, .msg_serial = 2, .channel = "room",
             .annotations = {{.message_serial = "s", .type = "reaction:flag.v1"}}});
    EXPECT_EQ(requests<PublishRequest>().back().draft.message.annotations.at(0).extras.text, R"({"userClaim":"mod"})");
    publish(3, {.data = "x", .action = protocol::MessageAction::update, .serial = "s"});
    EXPECT_EQ(requests<PublishRequest>().back().draft.message.messages.at(0).extras.text, "");
    publish(4, {.data = "x", .extras = {R"({"userClaim":"root"})"}, .action = protocol::MessageAction::update, .serial = "s"});
    EXPECT_EQ(requests<PublishRequest>().back().draft.message.messages.at(0).extras.text, R"({"userClaim":"mod"})");
    publish(5, {.data = "x", .extras = {R"({"userClaim":"root"})"}}, "elsewhere");
    EXPECT_EQ(requests<PublishRequest>().back().draft.message.messages.at(0).extras.text, "");
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
        another.connected(transport, identity, options, std::nullopt, now, out);
        clear();
        another.receive({.action = action}, now, out);
        EXPECT_EQ(only_frame().action, Action::error) << static_cast<int>(action);
        EXPECT_TRUE(out.ended);
    }
}

}  // namespace
}  // namespace realtime
