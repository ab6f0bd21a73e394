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
enum class CloseCode : std::uint16_t { normal = 1000, going_away = 1001, protocol_error = 1002, invalid_payload = 1007, too_big = 1009 };

class MessageDeflate;

/// The frames of one WebSocket client become messages. Pure: bytes in, messages out, in any chunking. Holds memory only
/// while a frame or a fragmented message is incomplete.
class WebSocketParser {
public:
    /// `deflate` outlives it, and is there when the client may compress (RFC 7692).
    explicit WebSocketParser(std::size_t message_bytes_max, MessageDeflate* deflate = nullptr)
        : message_bytes_max_(message_bytes_max), deflate_(deflate) {}

    /// `payload` is valid during the call.
    using OnMessage = std::function<void(Opcode, std::string_view payload)>;

    /// Unmasks in place. Returns why the client must go, once; what came before was handed on.
    std::optional<CloseCode> feed(std::span<char> bytes, const OnMessage& on_message);

private:
    std::optional<CloseCode> take_frames(std::span<char>& bytes, const OnMessage& on_message);
    struct Header;
    static Header parse_header(std::span<const char> bytes);
    bool is_proper(const Header& header) const;
    std::optional<CloseCode> take(const Header& header, std::string_view payload, const OnMessage& on_message);
    std::optional<CloseCode> hand_on(Opcode opcode, bool compressed, std::string_view message, const OnMessage& on_message);

    std::size_t message_bytes_max_;
    MessageDeflate* deflate_;
    std::string incomplete_;         // the start of a frame
    std::string fragments_;          // of a message
    std::optional<Opcode> message_;  // what the fragments are of
    bool compressed_ = false;        // likewise
};

/// A server's frame, unmasked and whole.
std::string websocket_frame(Opcode opcode, std::string_view payload, bool compressed = false);
std::string websocket_close_frame(CloseCode code, std::string_view reason);

/// RFC 6455 §4.2.2: what answers Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

}  // namespace net
