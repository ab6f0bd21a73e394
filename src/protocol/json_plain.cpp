#include "protocol/json_plain.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace protocol {
namespace {

/// A vector of the compiler's own, on any machine. Signed, so that whatever is not ASCII is less than a blank, as control characters are.
using Bytes = signed char __attribute__((vector_size(16)));

/// How many of them come before the first that is not plain.
std::size_t plain_ones(const Bytes& bytes) {
    const auto found = (bytes < ' ') | (bytes == '"') | (bytes == '\\');
    std::array<std::uint64_t, 2> halves;
    std::memcpy(halves.data(), &found, sizeof found);
    static_assert(std::endian::native == std::endian::little);
    const auto plain_in = [](std::uint64_t half) { return static_cast<std::size_t>(std::countr_zero(half)) / 8; };
    return halves[0] != 0 ? plain_in(halves[0]) : 8 + plain_in(halves[1]);
}

constexpr bool is_plain(unsigned char byte) { return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\'; }

}  // namespace

std::size_t plain_prefix(std::string_view text) {
    std::size_t at = 0;
    for (Bytes bytes; text.size() - at >= sizeof bytes; at += sizeof bytes) {
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        if (const auto plain = plain_ones(bytes); plain < sizeof bytes) return at + plain;
    }
    // The last ones with a blank for each byte that is missing, which is plain.
    if (const auto rest = text.size() - at; rest >= 4) {
        Bytes bytes = Bytes{} + ' ';
        if (rest >= 8) {
            std::memcpy(&bytes, text.data() + at, 8);
            std::memcpy(reinterpret_cast<char*>(&bytes) + rest - 8, text.data() + text.size() - 8, 8);
        } else {
            std::memcpy(&bytes, text.data() + at, 4);
            std::memcpy(reinterpret_cast<char*>(&bytes) + rest - 4, text.data() + text.size() - 4, 4);
        }
        return at + std::min(rest, plain_ones(bytes));
    }
    while (at < text.size() && is_plain(static_cast<unsigned char>(text[at]))) ++at;
    return at;
}

}  // namespace protocol
