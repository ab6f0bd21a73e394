#include "net/websocket_parser.hpp"

#include <openssl/sha.h>

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/base64.hpp"
#include "net/permessage_deflate.hpp"

namespace net {
namespace {

void unmask(std::span<char> payload, const std::array<char, 4>& mask) {
    std::array<char, 8> twice;
    for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = mask[i % 4];
    const auto by_eight = std::bit_cast<std::uint64_t>(twice);
    std::size_t at = 0;
    for (std::uint64_t word = 0; payload.size() - at >= sizeof word; at += sizeof word) {
        std::memcpy(&word, payload.data() + at, sizeof word);
        word ^= by_eight;
        std::memcpy(payload.data() + at, &word, sizeof word);
    }
    for (; at < payload.size(); ++at) payload[at] = static_cast<char>(payload[at] ^ mask[at % 4]);
}

/// RFC 6455 §7.4: of what a client may close with. Others are for what never goes over the wire, or for nobody yet.
bool is_close_code(unsigned code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/// §5.5.1: nothing, or a code and perhaps a reason. That the reason is UTF-8 is for who knows what that is.
bool is_proper_close(std::string_view payload) {
    if (payload.empty()) return true;
    if (payload.size() == 1) return false;
    return is_close_code(static_cast<unsigned char>(payload[0]) * 256u + static_cast<unsigned char>(payload[1]));
}

bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

bool is_known(Opcode opcode) {
    switch (opcode) {
        case Opcode::continuation:
        case Opcode::text:
        case Opcode::binary:
        case Opcode::close:
        case Opcode::ping:
        case Opcode::pong: return true;
    }
    return false;
}

}  // namespace

struct WebSocketParser::Header {
    bool last = false, compressed = false, reserved = false, masked = false;
    Opcode opcode{};
    std::uint64_t payload_bytes = 0;
    std::array<char, 4> mask{};
    std::size_t size = 0;  // of the header itself; 0: more bytes are needed
};

WebSocketParser::Header WebSocketParser::parse_header(std::span<const char> bytes) {
    Header header;
    if (bytes.size() < 2) return header;
    const auto first = static_cast<unsigned char>(bytes[0]), second = static_cast<unsigned char>(bytes[1]);
    header.last = (first & 0x80) != 0;
    header.compressed = (first & 0x40) != 0;
    header.reserved = (first & 0x30) != 0;
    header.opcode = static_cast<Opcode>(first & 0x0f);
    header.masked = (second & 0x80) != 0;
    header.payload_bytes = second & 0x7f;
    const std::size_t length_bytes = header.payload_bytes == 126 ? 2 : header.payload_bytes == 127 ? 8 : 0;
    const std::size_t size = 2 + length_bytes + (header.masked ? 4 : 0);
    if (bytes.size() < size) return header;
    if (length_bytes > 0) header.payload_bytes = 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        header.payload_bytes = header.payload_bytes << 8 | static_cast<unsigned char>(bytes[2 + i]);
    if (header.masked) std::memcpy(header.mask.data(), bytes.data() + 2 + length_bytes, 4);
    header.size = size;
    return header;
}

bool WebSocketParser::is_proper(const Header& header) const {
    if (header.reserved || !header.masked || !is_known(header.opcode)) return false;
    // A message says that it is compressed once, at its start (RFC 7692 §6).
    if (header.compressed && (!deflate_ || is_control(header.opcode) || header.opcode == Opcode::continuation)) return false;
    if (is_control(header.opcode)) return header.payload_bytes <= 125 && header.last;
    return (header.opcode == Opcode::continuation) == message_.has_value();
}

std::optional<CloseCode> WebSocketParser::feed(std::span<char> bytes, const OnMessage& on_message) {
    if (incomplete_.empty()) {
        const auto error = take_frames(bytes, on_message);
        incomplete_.assign(bytes.begin(), bytes.end());
        return error;
    }
    incomplete_.append(bytes.begin(), bytes.end());
    std::span<char> rest{incomplete_};
    const auto error = take_frames(rest, on_message);
    if (rest.size() == incomplete_.size()) return error;  // a frame that comes byte by byte is not copied for every byte
    std::string left{rest.begin(), rest.end()};
    incomplete_.swap(left);
    return error;
}

/// Takes whole frames off the front of `bytes`.
std::optional<CloseCode> WebSocketParser::take_frames(std::span<char>& bytes, const OnMessage& on_message) {
    for (;;) {
        const auto header = parse_header(bytes);
        if (header.size == 0) return std::nullopt;
        if (!is_proper(header)) return CloseCode::protocol_error;
        if (header.payload_bytes > message_bytes_max_) return CloseCode::too_big;
        if (bytes.size() - header.size < header.payload_bytes) return std::nullopt;
        const auto payload = bytes.subspan(header.size, static_cast<std::size_t>(header.payload_bytes));
        bytes = bytes.subspan(header.size + payload.size());
        unmask(payload, header.mask);
        if (const auto error = take(header, {payload.data(), payload.size()}, on_message)) return error;
    }
}

std::optional<CloseCode> WebSocketParser::take(const Header& header, std::string_view payload, const OnMessage& on_message) {
    if (is_control(header.opcode)) return hand_on(header.opcode, false, payload, on_message);
    if (header.last && !message_) return hand_on(header.opcode, header.compressed, payload, on_message);
    if (fragments_.size() + payload.size() > message_bytes_max_) return CloseCode::too_big;
    if (!message_) {
        message_ = header.opcode;
        compressed_ = header.compressed;
    }
    fragments_ += payload;
    if (!header.last) return std::nullopt;
    const auto whole = std::exchange(fragments_, {});
    return hand_on(*std::exchange(message_, std::nullopt), compressed_, whole, on_message);
}

std::optional<CloseCode> WebSocketParser::hand_on(Opcode opcode, bool compressed, std::string_view message, const OnMessage& on_message) {
    if (opcode == Opcode::close && !is_proper_close(message)) return CloseCode::protocol_error;
    if (!compressed) {
        on_message(opcode, message);
        return std::nullopt;
    }
    const auto inflated = deflate_->inflate(message, message_bytes_max_);
    if (!inflated) return inflated.error();
    on_message(opcode, *inflated);
    return std::nullopt;
}

std::string websocket_frame(Opcode opcode, std::string_view payload, bool compressed) {
    std::string frame;
    frame.reserve(payload.size() + 10);
    frame += static_cast<char>(0x80 | (compressed ? 0x40 : 0) | static_cast<std::uint8_t>(opcode));
    if (payload.size() < 126) {
        frame += static_cast<char>(payload.size());
    } else {
        const int length_bytes = payload.size() <= 0xffff ? 2 : 8;
        frame += static_cast<char>(length_bytes == 2 ? 126 : 127);
        for (int i = length_bytes - 1; i >= 0; --i) frame += static_cast<char>(payload.size() >> (8 * i) & 0xff);
    }
    frame += payload;
    return frame;
}

std::string websocket_close_frame(CloseCode code, std::string_view reason) {
    std::string payload;
    payload += static_cast<char>(static_cast<std::uint16_t>(code) >> 8);
    payload += static_cast<char>(static_cast<std::uint16_t>(code) & 0xff);
    payload += reason.substr(0, 123);
    return websocket_frame(Opcode::close, payload);
}

std::string websocket_accept(std::string_view key) {
    const auto text = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return base::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace net
