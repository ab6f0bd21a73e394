#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// Appends the request that opens a WebSocket.
void append_upgrade(std::string& out, std::string_view host, std::string_view path, std::string_view subprotocol);

/// Appends a publish over Ably's REST API, on a connection that is kept.
void append_rest_publish(std::string& out, std::string_view host, std::string_view key, std::string_view channel,
                         std::string_view payload);

/// Takes a whole answer off the front of `bytes` and gives its status; nothing when there is none yet. Its body ends where
/// its Content-Length says.
std::optional<int> take_response(std::string_view& bytes);

}  // namespace bench
