#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/websocket_parser.hpp"

/// permessage-deflate (RFC 7692), without context takeover on either side: each message is compressed by itself. So what many are
/// sent is compressed once, and a connection needs no state of its own. Why: docs/decisions/0006.
namespace net {

/// What answers a Sec-WebSocket-Extensions header: nothing unless it offers what we can do.
std::optional<std::string> accept_deflate(std::string_view offers);

/// Compresses and inflates the payloads of messages, one after the other, for as many connections as there are. Shard-owned.
class MessageDeflate {
public:
    MessageDeflate();
    ~MessageDeflate();

    std::string compress(std::string_view payload);
    /// Errors: too_big above bytes_max, without having inflated more; invalid_payload.
    std::expected<std::string, CloseCode> inflate(std::string_view payload, std::size_t bytes_max);

private:
    struct Streams;
    std::unique_ptr<Streams> streams_;
};

}  // namespace net
