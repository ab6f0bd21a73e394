#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "protocol/message.hpp"

namespace connector {

/// What palimpsest.publish() puts into the WAL (migrations/0004-connector.sql):
/// token ' ' {"channel":…,"name":…,"data":…,"extras":…}.
inline constexpr std::string_view sql_message_prefix = "palimpsest";

struct SqlMessage {
    std::string channel;
    protocol::Message message;
};
/// `token` is the database's. Errors: unauthorized, when somebody else than the function wrote it; invalid_body, invalid_channel_name.
base::Result<SqlMessage> read_sql_message(std::string_view content, std::string_view token);

/// In place of a message of `bytes`, more than one may have: {"error":{"code":40009,"message":…}}.
protocol::Message too_large(std::string name, std::size_t bytes);

}  // namespace connector
