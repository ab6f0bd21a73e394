#include "protocol/codec.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

using namespace protocol;
using namespace std::string_literals;

namespace {

constexpr Format formats[] = {Format::json, Format::msgpack};

/// A frame given as JSON, in both formats.
std::string in(Format format, std::string_view json) { return format == Format::json ? std::string{json} : json_to_msgpack(json); }

ProtocolMessage decoded(std::string_view json) {
    auto message = decode(Format::json, json);
    if (!message) throw std::runtime_error(message.error().message);
    EXPECT_EQ(decode(Format::msgpack, json_to_msgpack(json)), message) << json;
    return *message;
}

Error refused(std::string_view json) {
    const auto message = decode(Format::json, json);
    EXPECT_FALSE(message) << json;
    const auto packed = decode(Format::msgpack, json_to_msgpack(json));
    EXPECT_FALSE(packed) << json;
    const auto error = message ? Error{} : message.error();
    EXPECT_EQ(packed ? Error{} : packed.error(), error) << json;
    return error;
}

Message first(std::string_view message_json) {
    return decoded(R"({"action":15,"messages":[)" + std::string{message_json} + "]}").messages.at(0);
}

std::string repeated(std::size_t count, std::string_view element) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + std::string{element};
    return text + ']';
}

/// One of everything.
const ProtocolMessage full{
    .action = Action::message,
    .flags = flag::resumed | flag::publish,
    .count = 1,
    .msg_serial = 0,
    .timestamp = 1795459220793,
    .id = "conn1:0",
    .channel = "room:1",
    .channel_serial = "m19ab2c3d4e5-0000000007",
    .connection_id = "conn1",
    .access_token = "tok",
    .error = ErrorInfo{ErrorCode::capability_denied, "no \"way\""},
    .connection_details = ConnectionDetails{.client_id = "c1",
                                            .connection_key = "conn1!k",
                                            .server_id = "s",
                                            .max_message_size = 65536,
                                            .max_frame_size = 524288,
                                            .max_inbound_rate = 250,
                                            .connection_state_ttl_ms = 120000,
                                            .max_idle_interval_ms = 15000},
    .params = {{"delta", "vcdiff"}, {"rewind", "5"}},
    .messages = {Message{.id = "conn1:0:0",
                         .client_id = "c1",
                         .connection_id = "conn1",
                         .connection_key = "k",
                         .name = "évt",
                         .encoding = "json",
                         .data = "{\"a\":1}"s,
                         .extras = {"{\"headers\":{\"k\":[1,2.5]}}"},
                         .timestamp = 1,
                         .action = MessageAction::create,
                         .serial = "s1",
                         .version = MessageVersion{.serial = "v1",
                                                   .timestamp = 2,
                                                   .client_id = "c2",
                                                   .description = "typo",
                                                   .metadata = {"{\"m\":true}"}}},
                 Message{.data = Binary{"\xff\0\x01"s}, .version = MessageVersion{}}},
    .presence = {PresenceMessage{.id = "p",
                                 .client_id = "c1",
                                 .connection_id = "conn1",
                                 .data = "in"s,
                                 .timestamp = 3,
                                 .action = PresenceAction::enter},
                 PresenceMessage{}},
    .res = {{{"s1", ""}}, {}},
};

TEST(Codec, frames_come_as_an_array_each_with_an_action) {
    EXPECT_EQ(decode_frames("[]"), std::vector<Received>{});
    EXPECT_EQ(decode_frames(R"( [ {"action":0,"id":"x"} , {"action":7} ] )"),
              (std::vector<Received>{ProtocolMessage{.action = Action::heartbeat, .id = "x"}, ProtocolMessage{.action = Action::close}}));
    const auto too_many = repeated(base::limits::messages_per_publish_max + 1, "{}");
    for (const auto& refused : {""s, "{}"s, "[{"s, "[{\"action\":0}]x"s, "[{},]"s, too_many}) {
        EXPECT_FALSE(decode_frames(refused)) << refused.substr(0, 20);
    }
}

TEST(Codec, of_several_frames_only_those_are_refused_that_cannot_be_read) {
    const auto* some = R"([{"action":0},{"action":15,"msgSerial":3,"messages":[{"extras":[]}],"channel":"room"},{"action":7}])";
    const auto frames = decode_frames(some).value();
    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(std::get<ProtocolMessage>(frames[0]).action, Action::heartbeat);
    EXPECT_EQ(std::get<Refused>(frames[1]), (Refused{3, "room", {ErrorCode::invalid_body, "extras: an object is needed"}}));
    EXPECT_EQ(std::get<ProtocolMessage>(frames[2]).action, Action::close);
    for (const auto* bad : {"{}", "7", "[]", R"({"action":99})"}) EXPECT_FALSE(decode_frames(R"([{"action":0},)"s + bad + "]")) << bad;
}

TEST(Codec, what_is_refused_is_answered_by_its_msgSerial_and_channel) {
    const Error error{ErrorCode::invalid_body, "why"};
    const std::string deep = std::string(200, '[') + std::string(200, ']');
    const std::pair<std::string, Refused> frames[] = {
        {R"({"action":15,"msgSerial":7,"channel":"room","messages":[{"data":)" + deep + "}]}", {7, "room", error}},
        {R"({"action":15,"messages":)" + deep + R"(,"channel":"room","msgSerial":7})", {7, "room", error}},
        {R"({"action":"attach","channel":"room"})", {{}, "room", error}},
        {R"({"msgSerial":"7","channel":"room"})", {{}, "room", error}},
        {R"({"msgSerial":7,"channel":{}})", {7, "", error}},
        {R"({"msgSerial":1.5,"channel":null})", {{}, "", error}},
        {R"({})", {{}, "", error}},
        {R"([7])", {{}, "", error}}};
    for (const auto& [json, expected] : frames) EXPECT_EQ(refused(Format::json, json, error), expected) << json;
    for (const auto* cut_short : {"", "{", R"({"msgSerial":7,"channel":"room")", R"({"msgSerial":7,"channel":"room"}x)",
                                  R"({"msgSerial":1e999,"x":})"})
        EXPECT_EQ(refused(Format::json, cut_short, error), (Refused{{}, "", error})) << cut_short;
    EXPECT_EQ(refused(Format::json, R"({"msgSerial":1e999,"channel":"room"})", error), (Refused{{}, "room", error}));

    const auto packed = "\x83\xa9"s "msgSerial\x07\xa7" "channel\xa5" "room\xff\xa8" "messages" + std::string(200, '\x91') + '\xc0';
    EXPECT_EQ(refused(Format::msgpack, packed, error), (Refused{7, "room\ufffd", error}));
    EXPECT_EQ(refused(Format::msgpack, packed.substr(0, packed.size() - 1), error), (Refused{{}, "", error}));
}

TEST(Codec, half_a_surrogate_pair_in_any_text_is_replaced) {
    const auto message = decoded(R"({"action":15,"channel":"\ud83d",)"
                                 R"("messages":[{"name":"a\ude00","data":"😀\ud83d","extras":{"\udc00":["\ud83d"]}},)"
                                 R"({"data":{"text":"😀\ud83d"}}],"presence":[{"clientId":"\ud83d","data":"\ud83d","action":2}]})");
    EXPECT_EQ(message.channel, "\ufffd");
    EXPECT_EQ(message.messages.at(0), (Message{.name = "a\ufffd", .data = "😀\ufffd"s, .extras = {"{\"\ufffd\":[\"\ufffd\"]}"}}));
    EXPECT_EQ(message.messages.at(1), (Message{.encoding = "json", .data = "{\"text\":\"😀\ufffd\"}"s}));
    EXPECT_EQ(message.presence.at(0).client_id, "\ufffd");
    EXPECT_EQ(std::get<std::string>(message.presence.at(0).data), "\ufffd");
}

}  // namespace

TEST(Codec, every_field_has_its_wire_name) {
    EXPECT_EQ(
        encode(Format::json, full),
        R"({"action":15,"flags":131076,"count":1,"msgSerial":0,"timestamp":1795459220793,"id":"conn1:0","channel":"room:1",)"
        R"("channelSerial":"m19ab2c3d4e5-0000000007","connectionId":"conn1","auth":{"accessToken":"tok"},)"
        R"("error":{"code":40160,"statusCode":401,"message":"no \"way\"","href":"https://help.ably.io/error/40160"},)"
        R"("connectionDetails":{"clientId":"c1","connectionKey":"conn1!k","serverId":"s","maxMessageSize":65536,"maxFrameSize":524288,)"
        R"("maxInboundRate":250,"connectionStateTtl":120000,"maxIdleInterval":15000},"params":{"delta":"vcdiff","rewind":"5"},)"
        R"("messages":[{"id":"conn1:0:0","clientId":"c1","connectionId":"conn1","connectionKey":"k","name":"évt","encoding":"json",)"
        R"("data":"{\"a\":1}","extras":{"headers":{"k":[1,2.5]}},"timestamp":1,"action":0,"serial":"s1",)"
        R"("version":{"serial":"v1","timestamp":2,"clientId":"c2","description":"typo","metadata":{"m":true}}},)"
        R"({"encoding":"base64","data":"/wAB","version":{}}],)"
        R"("presence":[{"id":"p","clientId":"c1","connectionId":"conn1","data":"in","timestamp":3,"action":2},{"action":0}],)"
        R"("res":[{"serials":["s1",null]},{}]})");
}

TEST(Codec, decoding_is_the_inverse_of_encoding) {
    for (const auto format : formats) EXPECT_EQ(decode(format, encode(format, full)), full);
}

TEST(Codec, a_frame_of_defaults_is_its_action) {
    EXPECT_EQ(encode(Format::json, {}), R"({"action":0})");
    EXPECT_EQ(encode(Format::msgpack, {}), "\x81\xa6"s "action\0"s);
    EXPECT_EQ(decoded(R"({"action":0})"), ProtocolMessage{});
}

TEST(Codec, MessagePack_carries_bytes_and_objects_as_its_own) {
    const ProtocolMessage message{.action = Action::message, .messages = {{.data = Binary{"\xff"}, .extras = {R"({ "a" : [1] })"}}}};
    EXPECT_EQ(encode(Format::msgpack, message),
              "\x82\xa6"s
              "action\x0f\xa8messages\x91\x82\xa4"
              "data\xc4\x01\xff\xa6"
              "extras\x81\xa1"
              "a\x91\x01");
}

TEST(Codec, reads_what_SDKs_send) {
    EXPECT_EQ(
        decoded(R"({"action":10,"channel":"room:2","params":{"rewind":"5","delta":"vcdiff"},"flags":393216})"),
        (ProtocolMessage{
            .action = Action::attach, .flags = 393216, .channel = "room:2", .params = {{"delta", "vcdiff"}, {"rewind", "5"}}}));
    EXPECT_EQ(
        decoded(
            R"({"action":15,"channel":"room:1","messages":[{"name":"evt","data":"{\"a\":1}","action":0,"encoding":"json",)"
            R"("size":10}],"msgSerial":0})"),
        (ProtocolMessage{
            .action = Action::message,
            .msg_serial = 0,
            .channel = "room:1",
            .messages = {{.name = "evt", .encoding = "json", .data = "{\"a\":1}"s, .action = MessageAction::create}}}));
    EXPECT_EQ(
        decoded(
            R"({"action":14,"channel":"room:1","presence":[{"data":"{\"st\":\"on\"}","action":2,"encoding":"json"}],"msgSerial":2})"),
        (ProtocolMessage{.action = Action::presence,
                         .msg_serial = 2,
                         .channel = "room:1",
                         .presence = {{.encoding = "json", .data = "{\"st\":\"on\"}"s, .action = PresenceAction::enter}}}));
    EXPECT_EQ(decoded(R"({"action":17,"auth":{"accessToken":"tok","other":[1]}})"),
              (ProtocolMessage{.action = Action::auth, .access_token = "tok"}));
}

TEST(Codec, RTL4k_a_param_may_be_written_as_a_number) {
    const std::map<std::string, std::string> params{{"echo", "true"}, {"half", "0.5"}, {"rewind", "1"}};
    EXPECT_EQ(decoded(R"({"action":10,"params":{"rewind":1,"half":0.5,"echo":true}})").params, params);
    EXPECT_EQ(decode(Format::msgpack, "\x82\xa6" "action\x0a\xa6" "params\x81\xa6" "rewind\x01")->params,
              (std::map<std::string, std::string>{{"rewind", "1"}}));
    EXPECT_FALSE(decode(Format::json, R"({"action":10,"params":{"rewind":[1]}})"));
}

TEST(Codec, RSF1_unknown_fields_are_skipped_and_null_is_absent) {
    EXPECT_EQ(
        decoded(
            R"({"future":{"a":[1,{"b":null}]},"action":11,"channel":null,"msgSerial":null,"messages":null,)"
            R"("error":null,"auth":null,"version":1.5})"),
        (ProtocolMessage{.action = Action::attached}));
    EXPECT_EQ(decode(Format::msgpack,
                     "\x82\xa1x\xd8\x05xxxxxxxxxxxxxxxx\xa6"
                     "action\x0b"),
              (ProtocolMessage{.action = Action::attached}));
}

TEST(Codec, whole_numbers_may_come_as_floats) {
    EXPECT_EQ(decoded(R"({"action":1.1e1,"timestamp":1795459220793.0,"msgSerial":-0.0})"),
              (ProtocolMessage{.action = Action::attached, .msg_serial = 0, .timestamp = 1795459220793}));
}

TEST(Codec, refuses_a_wrong_type_and_names_the_field) {
    const std::pair<const char*, const char*> wrong[] = {
        {R"([])", "body: an object is needed"},
        {R"({"action":"attach"})", "action: a number is needed"},
        {R"({"action":10,"channel":1})", "channel: a string is needed"},
        {R"({"action":10,"flags":1.5})", "flags: a whole number is needed"},
        {R"({"action":10,"flags":1e300})", "flags: a whole number is needed"},
        {R"({"action":10,"msgSerial":true})", "msgSerial: a number is needed"},
        {R"({"action":10,"params":{"rewind":[5]}})", "params: a string is needed"},
        {R"({"action":10,"params":[]})", "params: an object is needed"},
        {R"({"action":17,"auth":"x"})", "auth: an object is needed"},
        {R"({"action":17,"auth":{"accessToken":1}})", "accessToken: a string is needed"},
        {R"({"action":9,"error":{"code":4294967296}})", "code: out of range"},
        {R"({"action":15,"messages":{}})", "messages: an array is needed"},
        {R"({"action":15,"messages":[1]})", "messages: an object is needed"},
        {R"({"action":15,"messages":[{"extras":[]}]})", "extras: an object is needed"},
        {R"({"action":15,"messages":[{"version":{"metadata":"x"}}]})", "metadata: an object is needed"},
        {R"({"action":1,"res":[{"serials":[1]}]})", "serials: a string is needed"},
    };
    for (const auto& [json, message] : wrong) EXPECT_EQ(refused(json), (Error{ErrorCode::invalid_body, message})) << json;
}

TEST(Codec, refuses_actions_it_does_not_know) {
    const std::pair<const char*, const char*> unknown[] = {{R"({})", "action: a protocol message has one"},
                                                           {R"({"action":null})", "action: a protocol message has one"},
                                                           {R"({"action":22})", "action: 22 is unknown"},
                                                           {R"({"action":-1})", "action: -1 is unknown"},
                                                           {R"({"action":15,"messages":[{"action":6}]})", "action: 6 is unknown"},
                                                           {R"({"action":14,"presence":[{"action":5}]})", "action: 5 is unknown"}};
    for (const auto& [json, message] : unknown) EXPECT_EQ(refused(json), (Error{ErrorCode::bad_request, message})) << json;
}

TEST(Codec, refuses_what_is_malformed_or_goes_on) {
    for (const auto& [format, bytes] : {std::pair{Format::json, R"({"action":1,)"s},
                                        {Format::json, R"({"action":1}{})"s},
                                        {Format::json, ""s},
                                        {Format::json, "{\"action\":1,\"id\":\"\xff\"}"s},
                                        {Format::msgpack,
                                         "\x81\xa6"s
                                         "action"s},
                                        {Format::msgpack,
                                         "\x81\xa6"s
                                         "action\x01\x01"s},
                                        {Format::msgpack, ""s}}) {
        const auto message = decode(format, bytes);
        ASSERT_FALSE(message) << bytes;
        EXPECT_EQ(message.error().code, ErrorCode::invalid_body) << bytes;
    }
}

TEST(Codec, a_publish_is_bounded) {
    const auto publish = [](std::size_t count) { return R"({"action":15,"messages":)" + repeated(count, "{}") + "}"; };
    EXPECT_EQ(decoded(publish(base::limits::messages_per_publish_max)).messages.size(), base::limits::messages_per_publish_max);
    EXPECT_EQ(refused(publish(base::limits::messages_per_publish_max + 1)),
              (Error{ErrorCode::invalid_body, "messages: more than 1000"}));
    EXPECT_EQ(refused(R"({"action":14,"presence":)" + repeated(1001, "{}") + "}"),
              (Error{ErrorCode::invalid_body, "presence: more than 1000"}));
}

TEST(Data, RSL4d3_a_bare_object_or_array_is_kept_as_its_text) {
    EXPECT_EQ(first(R"({"data":{"a":[1,"x"]}})"), (Message{.encoding = "json", .data = R"({"a":[1,"x"]})"s}));
    EXPECT_EQ(first(R"({"data":[],"encoding":"utf-8"})"), (Message{.encoding = "utf-8/json", .data = "[]"s}));
    EXPECT_EQ(first(R"({"encoding":"base64","data":[1]})"), (Message{.encoding = "base64/json", .data = "[1]"s}));
    EXPECT_EQ(first(R"({"data":{"a":{}}},{"data":"x"})"), (Message{.encoding = "json", .data = R"({"a":{}})"s}));
    EXPECT_EQ(decoded(R"({"action":15,"messages":[{"data":{}},{"data":"x"}]})").messages.at(1), (Message{.data = "x"s}));
}

TEST(Data, nothing_is_not_the_empty_string) {
    EXPECT_EQ(first(R"({"data":null})"), Message{});
    EXPECT_EQ(first(R"({"data":""})"), (Message{.data = ""s}));
}

TEST(Data, RSL4a_numbers_and_booleans_are_refused) {
    for (const char* data : {"1", "1.5", "true"}) {
        EXPECT_EQ(refused(R"({"action":15,"messages":[{"data":)"s + data + "}]}").code, ErrorCode::invalid_message_data) << data;
    }
}

TEST(Data, RSL6a_base64_in_json_is_bytes_in_MessagePack) {
    EXPECT_EQ(first(R"({"data":"/wAB","encoding":"base64"})"), (Message{.data = Binary{"\xff\0\x01"s}}));
    EXPECT_EQ(first(R"({"encoding":"utf-8/cipher+aes-128-cbc/base64","data":""})"),
              (Message{.encoding = "utf-8/cipher+aes-128-cbc", .data = Binary{}}));
    EXPECT_EQ(first(R"({"encoding":"base64/utf-8","data":"/wAB"})"), (Message{.encoding = "base64/utf-8", .data = "/wAB"s}));
    EXPECT_EQ(first(R"({"encoding":"base64"})"), (Message{.encoding = "base64"}));
    EXPECT_EQ(refused(R"({"action":15,"messages":[{"encoding":"base64","data":"!"}]})").code, ErrorCode::invalid_message_data);
}

TEST(Data, bytes_inside_an_object_are_refused) {
    const auto message = decode(Format::msgpack, "\x82\xa6"s "action\x0f\xa8messages\x91\x81\xa4" "data\x81\xa1" "a\xc4\x01\xff");
    EXPECT_EQ(message, std::unexpected(Error{ErrorCode::invalid_body, "data: not a value that JSON can hold"}));
}

TEST(Rest, RSL1c_a_body_is_one_message_or_many) {
    const std::vector<Message> one{{.name = "a", .data = "x"s}}, two{{.name = "a"}, {.name = "b", .encoding = "json", .data = "{}"s}};
    for (const auto format : formats) {
        EXPECT_EQ(decode_messages(format, in(format, R"({"name":"a","data":"x"})")), one);
        EXPECT_EQ(decode_messages(format, in(format, R"([{"name":"a"},{"name":"b","data":{}}])")), two);
        EXPECT_EQ(decode_messages(format, encode_messages(format, two)), two);
        EXPECT_EQ(decode_messages(format, in(format, "[]")), std::vector<Message>{});
        for (const auto& bad : {in(format, "1"), in(format, "[1]"), in(format, "[null]"), ""s, in(format, repeated(1001, "{}"))}) {
            const auto messages = decode_messages(format, bad);
            ASSERT_FALSE(messages) << bad;
            EXPECT_EQ(messages.error().code, ErrorCode::invalid_body);
        }
    }
}

TEST(Rest, presence_and_errors_are_encoded_in_both_formats) {
    const auto members = R"([{"clientId":"c","action":1}])";
    const auto error = R"({"error":{"code":40400,"statusCode":404,"message":"none","href":"https://help.ably.io/error/40400"}})";
    for (const auto format : formats) {
        EXPECT_EQ(encode_presence(format, {{.client_id = "c", .action = PresenceAction::present}}), in(format, members));
        EXPECT_EQ(encode_error(format, {ErrorCode::not_found, "none"}), in(format, error));
    }
}

TEST(Rest, bodies_change_format) {
    EXPECT_EQ(msgpack_to_json(json_to_msgpack(R"({ "a" : [1, "x", null] })")), R"({"a":[1,"x",null]})");
    EXPECT_EQ(json_to_msgpack("{"), "\xc0");
    for (const auto& bad : {""s, "\x91"s, "\xc0\xc0"s, "\xc4\x01x"s})
        EXPECT_EQ(msgpack_to_json(bad).error().code, ErrorCode::invalid_body);
}
