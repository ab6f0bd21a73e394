#include "bench/stamp.hpp"

#include <array>
#include <cstring>

namespace bench {
namespace {

constexpr std::string_view mark = "~pal~";
constexpr std::size_t channel_digits = 4, number_digits = 8, due_digits = 16;
static_assert(mark.size() + channel_digits + number_digits + due_digits == stamp_bytes);

constexpr auto digit_values = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (int i = 0; i < 16; ++i) values[static_cast<unsigned char>("0123456789abcdef"[i])] = static_cast<std::int8_t>(i);
    return values;
}();

void append_hex(std::string& out, std::uint64_t value, std::size_t digits) {
    while (digits-- > 0) out += "0123456789abcdef"[value >> (4 * digits) & 15];
}

/// -1 when a character is not a digit.
std::int64_t hex(const char* text, std::size_t digits) {
    std::int64_t value = 0;
    std::int8_t wrong = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        const auto digit = digit_values[static_cast<unsigned char>(text[i])];
        wrong = static_cast<std::int8_t>(wrong | digit);
        value = value << 4 | (digit & 15);
    }
    return wrong < 0 ? -1 : value;
}

}  // namespace

void append_payload(std::string& out, const Stamp& stamp, std::size_t bytes) {
    out += mark;
    append_hex(out, stamp.channel, channel_digits);
    append_hex(out, stamp.number, number_digits);
    append_hex(out, static_cast<std::uint64_t>(stamp.due_ns), due_digits);
    if (bytes > stamp_bytes) out.append(bytes - stamp_bytes, 'x');
}

std::optional<Stamp> read_stamp(std::string_view text) {
    if (text.size() < stamp_bytes || std::memcmp(text.data(), mark.data(), mark.size()) != 0) return std::nullopt;
    const char* at = text.data() + mark.size();
    const auto channel = hex(at, channel_digits);
    const auto number = hex(at + channel_digits, number_digits);
    const auto due = hex(at + channel_digits + number_digits, due_digits);
    if (channel < 0 || number < 0 || due < 0) return std::nullopt;
    return Stamp{static_cast<std::uint32_t>(channel), static_cast<std::uint32_t>(number), due};
}

std::size_t StampScanner::find(std::string_view frame, std::size_t from, std::size_t hint) {
    if (frame.size() < stamp_bytes || from > frame.size() - stamp_bytes) return frame.npos;
    if (hint <= frame.size() - stamp_bytes && std::memcmp(frame.data() + hint, mark.data(), mark.size()) == 0) {
        // A frame of several starts before the hint when its head is shorter than the last one's.
        if (hint < stamp_bytes || std::memchr(frame.data(), mark.front(), hint) == nullptr) return hint;
    }
    const auto* found = memmem(frame.data() + from, frame.size() - from, mark.data(), mark.size());
    return found ? static_cast<std::size_t>(static_cast<const char*>(found) - frame.data()) : frame.npos;
}

}  // namespace bench
