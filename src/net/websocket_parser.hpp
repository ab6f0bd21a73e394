#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace net {

/// RFC 6455 §5.2.
enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// RFC 6455 §7.4.1.
enum class CloseCode : std::uint16_t { normal = 1000, going_away = 1001, protocol_error = 1002, too_big = 1009 };

/// The frames of one WebSocket client become messages. Pure: bytes in, messages out, in any chunking. Holds memory only
/// while a frame or a fragmented message is incomplete.
class WebSocketParser {
public:
    explicit WebSocketParser(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

    /// `payload` is valid during the call.
    using OnMessage = std::function<void(Opcode, std::string_view payload)>;

    /// Unmasks in place. Returns why the client must go, once; what came before was handed on.
    std::optional<CloseCode> feed(std::span<char> bytes, const OnMessage& on_message);

private:
    std::optional<CloseCode> take_frames(std::span<char>& bytes, const OnMessage& on_message);
    std::optional<CloseCode> take(Opcode opcode, bool last, std::span<char> payload, const OnMessage& on_message);

    std::size_t message_bytes_max_;
    std::string incomplete_;         // the start of a frame
    std::string fragments_;          // of a message
    std::optional<Opcode> message_;  // what the fragments are of
};

/// A server's frame, unmasked and whole.
std::string websocket_frame(Opcode opcode, std::string_view payload);
std::string websocket_close_frame(CloseCode code, std::string_view reason);

/// RFC 6455 §4.2.2: what answers Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

}  // namespace net
