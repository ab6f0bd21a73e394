#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace base {

/// A character of a UTF-8 text: its number in Unicode, and how many bytes it takes.
struct CodePoint {
    static constexpr char32_t broken = 0xFFFF'FFFF;  // not well-formed: one byte is passed by
    char32_t value = broken;
    std::size_t bytes = 1;
};

/// The one at the front of `text`, which is not empty (Unicode 15, table 3-7).
constexpr CodePoint code_point(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {lead, 1};
    const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
    char32_t value = lead & (0x7Fu >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0) != 0x80) return {};
        value = (value << 6) | (next & 0x3F);
    }
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x1'0000};
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < least[bytes] || value > 0x10'FFFF || surrogate) return {};
    return {value, bytes};
}

}  // namespace base
