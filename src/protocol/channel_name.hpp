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
struct ChannelName {
    std::string full;
    std::string base;                           // without the qualifier
    std::map<std::string, std::string> params;  // of the qualifier; those of an ATTACH frame win over them
};

/// Errors: invalid_channel_name (empty, too long, not UTF-8, a control character, starts with ':' or a malformed qualifier).
Result<ChannelName> parse_channel_name(std::string_view name);

/// "5" is a count (at most 100), "30s" and "2m" are durations (at most the retention window). Error: invalid_parameter_value.
Result<Rewind> parse_rewind(std::string_view text);

}  // namespace protocol
