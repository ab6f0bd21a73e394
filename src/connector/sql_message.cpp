#include "connector/sql_message.hpp"

#include <utility>

#include "protocol/channel_name.hpp"
#include "protocol/json_reader.hpp"

namespace connector {

using base::ErrorCode;
using base::fail;
using protocol::JsonReader;
using protocol::Kind;

namespace {

/// A text is data as it is; any other value is JSON, and null nothing.
bool read_data(JsonReader& in, protocol::Message& message) {
    if (in.kind() == Kind::null) return in.skip();
    std::string data;
    if (in.kind() == Kind::text) {
        if (!in.text(data)) return false;
    } else {
        if (!in.json(data)) return false;
        message.encoding = "json";
    }
    message.data = std::move(data);
    return true;
}

}  // namespace

base::Result<SqlMessage> read_sql_message(std::string_view content, std::string_view token) {
    if (token.empty() || !content.starts_with(token) || !content.substr(token.size()).starts_with(' ')) {
        return fail(ErrorCode::unauthorized, "it was not written by palimpsest.publish()");
    }
    SqlMessage made;
    JsonReader in{content.substr(token.size() + 1)};
    const bool read = in.object([&](std::string_view key) {
        if (key == "channel") return in.text(made.channel);
        if (key == "data") return read_data(in, made.message);
        if (in.kind() == Kind::null) return in.skip();
        if (key == "name") return in.text(made.message.name);
        if (key == "extras") return in.json(made.message.extras.text);
        return in.skip();
    });
    if (!read || !in.at_end()) return fail(ErrorCode::invalid_body, "it is not what palimpsest.publish() writes");
    const auto channel = protocol::parse_channel_name(made.channel);
    if (!channel) return std::unexpected(channel.error());
    if (channel->base != made.channel) return fail(ErrorCode::invalid_channel_name, "a channel's name without a qualifier is wanted");
    return made;
}

protocol::Message too_large(std::string name, std::size_t bytes) {
    return {.name = std::move(name),
            .encoding = "json",
            .data = fmt::format(R"({{"error":{{"code":{},"message":"a message of {} bytes is larger than one may be"}}}})",
                                std::to_underlying(ErrorCode::message_too_large), bytes)};
}

}  // namespace connector
