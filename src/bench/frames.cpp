#include "bench/frames.hpp"

namespace bench {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

}  // namespace

std::optional<Frame> take_frame(std::string_view& bytes) {
    if (bytes.size() < 2) return std::nullopt;
    std::uint64_t length = static_cast<unsigned char>(bytes[1]) & 0x7fu;
    const std::size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0, header_bytes = 2 + length_bytes;
    if (bytes.size() < header_bytes) return std::nullopt;
    if (length_bytes > 0) length = big_endian(bytes.substr(2, length_bytes));
    if (bytes.size() - header_bytes < length) return std::nullopt;
    const Frame frame{static_cast<Opcode>(bytes[0] & 0x0f), bytes.substr(header_bytes, length)};
    bytes.remove_prefix(header_bytes + length);
    return frame;
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
    constexpr unsigned final_bit = 0x80, mask_bit = 0x80;
    out += static_cast<char>(final_bit | static_cast<unsigned>(opcode));
    int length_bytes = 0;
    if (payload.size() < 126) {
        out += static_cast<char>(mask_bit | payload.size());
    } else {
        length_bytes = payload.size() < 65'536 ? 2 : 8;
        out += static_cast<char>(mask_bit | (length_bytes == 2 ? 126u : 127u));
    }
    while (length_bytes-- > 0) out += static_cast<char>(payload.size() >> (8 * length_bytes) & 0xff);
    out.append(4, '\0');
    out += payload;
}

}  // namespace bench
