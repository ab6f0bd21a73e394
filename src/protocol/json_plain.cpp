#include "protocol/json_plain.hpp"

#include <cstdint>
#include <cstring>

namespace protocol {
namespace {

constexpr std::uint64_t ones = 0x0101'0101'0101'0101, high_bits = ones * 0x80;

/// Is any byte less than `bound`? Of bytes below 0x80, and bounds up to there.
constexpr std::uint64_t any_below(std::uint64_t word, unsigned char bound) { return (word - ones * bound) & ~word & high_bits; }

constexpr bool is_plain(std::uint64_t word) {
    const auto quotes = any_below(word ^ ones * '"', 1), backslashes = any_below(word ^ ones * '\\', 1);
    return ((word & high_bits) | any_below(word, 0x20) | quotes | backslashes) == 0;
}

constexpr bool is_plain(unsigned char byte) { return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\'; }

template <class Word>
Word load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

}  // namespace

std::size_t plain_prefix(std::string_view text) {
    std::size_t at = 0;
    while (text.size() - at >= 8 && is_plain(load<std::uint64_t>(text.data() + at))) at += 8;
    // Most texts are short: what is left is looked at in two halves that may overlap.
    if (const auto rest = text.size() - at; rest >= 4 && rest < 8) {
        const auto front = load<std::uint32_t>(text.data() + at), back = load<std::uint32_t>(text.data() + text.size() - 4);
        if (is_plain(front | std::uint64_t{back} << 32)) return text.size();
    }
    while (at < text.size() && is_plain(static_cast<unsigned char>(text[at]))) ++at;
    return at;
}

}  // namespace protocol
