#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/error_codes.hpp"

namespace protocol {

/// How far back an attachment starts (RTL4k; "rewind" channel param): the last `count` messages, or those of the last
/// `duration`. Both are capped by what the channel keeps.
using Rewind = std::variant<std::size_t, std::chrono::milliseconds>;

/// What a channel is asked for under: `incoming-chat`, or with a qualifier in front: `[?rewind=2m]incoming-chat`,
/// `[meta]log`, `[filter=…]room`. `full` is what the client calls it and what frames to it must say.
///   name := [ '[' qualifier [ '?' params ] ']' ] base      params := key '=' value { '&' key '=' value }, percent-encoded
struct ChannelName {
    std::string full;
    std::string base;                           // what follows the brackets
    std::map<std::string, std::string> params;  // of the brackets; those of an ATTACH frame win over them
    std::string qualifier;                      // "meta", "filter=…"; empty for an ordinary channel
};

/// Errors: invalid_channel_name (empty, too long, not UTF-8, a control character, a base that starts with ':' or '[', or
/// malformed brackets).
Result<ChannelName> parse_channel_name(std::string_view name);

/// "5" is a count, "30s" and "2m" are durations; more than there can be (limits::rewind_messages_max, the retention window) is
/// as much as there can be. Error: invalid_parameter_value.
Result<Rewind> parse_rewind(std::string_view text);

}  // namespace protocol
