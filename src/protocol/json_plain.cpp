#include "protocol/json_plain.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace protocol {
namespace {

/// A vector of the compiler's own, on any machine. Signed, so that whatever is not ASCII is less than a blank, as control characters are.
using Bytes = signed char __attribute__((vector_size(16)));

bool is_plain(const Bytes& bytes) {
    const auto found = (bytes < ' ') | (bytes == '"') | (bytes == '\\');
    std::array<std::uint64_t, 2> halves;
    std::memcpy(halves.data(), &found, sizeof found);
    return (halves[0] | halves[1]) == 0;
}

constexpr bool is_plain(unsigned char byte) { return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\'; }

/// The text's first and last `count` bytes, which may overlap, as often as they fit.
template <std::size_t count>
bool has_plain_ends(std::string_view text) {
    std::array<char, sizeof(Bytes)> ends;
    for (std::size_t at = 0; at < ends.size(); at += 2 * count) {
        std::memcpy(ends.data() + at, text.data(), count);
        std::memcpy(ends.data() + at + count, text.data() + text.size() - count, count);
    }
    Bytes bytes;
    std::memcpy(&bytes, ends.data(), sizeof bytes);
    return is_plain(bytes);
}

}  // namespace

std::size_t plain_prefix(std::string_view text) {
    std::size_t at = 0;
    for (Bytes bytes; text.size() - at >= sizeof bytes; at += sizeof bytes) {
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        if (!is_plain(bytes)) break;
    }
    // Most texts are short.
    const auto rest = text.substr(at);
    if (rest.size() >= 8 && rest.size() < 16 && has_plain_ends<8>(rest)) return text.size();
    if (rest.size() >= 4 && rest.size() < 8 && has_plain_ends<4>(rest)) return text.size();
    while (at < text.size() && is_plain(static_cast<unsigned char>(text[at]))) ++at;
    return at;
}

}  // namespace protocol
