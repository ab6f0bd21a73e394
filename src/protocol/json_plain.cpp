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

/// So many of the text's, then blanks.
Bytes load(const char* text, std::size_t count) {
    auto bytes = Bytes{} + ' ';
    if (count >= sizeof bytes) std::memcpy(&bytes, text, sizeof bytes);
    else std::memcpy(&bytes, text, count);
    return bytes;
}

/// -1 for each byte that is escaped, 0 for the others.
Bytes escaped_ones(const Bytes& bytes) { return ((bytes < ' ') & (bytes >= 0)) | (bytes == '"') | (bytes == '\\'); }

/// … for each that is escaped by two bytes, as the others are by six.
Bytes named_ones(const Bytes& bytes) {
    return (bytes == '"') | (bytes == '\\') | (bytes == '\n') | (bytes == '\r') | (bytes == '\t');
}

/// How many bytes of the text `ones` gives -1 for.
template <auto ones>
std::size_t count(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size();) {
        constexpr std::size_t blocks_max = 127;  // as a lane counts
        Bytes counts{};
        for (std::size_t block = 0; block < blocks_max && at < text.size(); ++block, at += sizeof counts)
            counts -= ones(load(text.data() + at, text.size() - at));
        for (std::size_t lane = 0; lane < sizeof counts; ++lane) count += static_cast<std::size_t>(counts[lane]);
    }
    return count;
}

/// How many come before the first that is -1.
std::size_t zeros_before(const Bytes& found) {
    std::array<std::uint64_t, 2> halves;
    std::memcpy(halves.data(), &found, sizeof found);
    static_assert(std::endian::native == std::endian::little);
    const auto plain_in = [](std::uint64_t half) { return static_cast<std::size_t>(std::countr_zero(half)) / 8; };
    return halves[0] != 0 ? plain_in(halves[0]) : 8 + plain_in(halves[1]);
}

/// How many of them come before the first that is not plain.
std::size_t plain_ones(const Bytes& bytes) { return zeros_before((bytes < ' ') | (bytes == '"') | (bytes == '\\')); }

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

std::size_t escapes_in(std::string_view text) { return count<escaped_ones>(text); }

std::size_t escaped_bytes(std::string_view text) {
    const auto escapes = escapes_in(text);
    if (escapes == 0) return text.size();
    return text.size() + escapes * (escape_bytes_max - 1) - count<named_ones>(text) * (escape_bytes_max - 2);
}

char* escape(std::string_view text, char* to) {
    constexpr std::string_view hex = "0123456789abcdef", named = "\"\\\n\r\t", names = "\"\\nrt";
    static_assert(escaping_slack >= sizeof(Bytes));
    for (std::size_t at = 0; at < text.size();) {
        const auto left = std::min(text.size() - at, sizeof(Bytes));
        const auto bytes = load(text.data() + at, left);
        std::memcpy(to, &bytes, sizeof bytes);
        const auto plain = std::min(left, zeros_before(escaped_ones(bytes)));
        at += plain;
        to += plain;
        if (plain == left) continue;
        const char byte = text[at++];
        *to++ = '\\';
        if (const auto name = named.find(byte); name != named.npos) {
            *to++ = names[name];
        } else {
            std::memcpy(to, "u00", 3);
            to[3] = hex[static_cast<unsigned char>(byte) >> 4];
            to[4] = hex[byte & 0xf];
            to += escape_bytes_max - 1;
        }
    }
    return to;
}

}  // namespace protocol
