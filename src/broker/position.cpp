#include "broker/position.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace broker {
namespace {

/// A text in the making, of at most 64 characters: made in place, as every message has two of them.
class ShortText {
public:
    void put(char character) { *end_++ = character; }
    /// Two digits at a time.
    void put_hex(std::uint64_t value, std::size_t digits) {
        constexpr auto pairs = [] {
            std::array<std::array<char, 2>, 256> all{};
            for (std::size_t i = 0; i < all.size(); ++i) all[i] = {"0123456789abcdef"[i >> 4], "0123456789abcdef"[i & 0xf]};
            return all;
        }();
        std::array<char, 16> hex;
        for (auto at = hex.size(); at > 0; at -= 2, value >>= 8) std::memcpy(hex.data() + at - 2, pairs[value & 0xff].data(), 2);
        std::memcpy(end_, hex.data() + hex.size() - digits, digits);
        end_ += digits;
    }
    void put_own(const Position& position) {
        put_hex(position.epoch, 11);
        put('-');
        put_hex(position.count, 10);
    }
    void put_place(const WalPlace& place) {
        put_hex(place.commit_lsn, 16);
        put('-');
        put_hex(place.index, 8);
    }
    std::string text() const { return std::string{bytes_.data(), static_cast<std::size_t>(end_ - bytes_.data())}; }

private:
    std::array<char, 64> bytes_;
    char* end_ = bytes_.data();
};

/// Takes exactly `digits` lower-case hex digits off the front of `text`.
std::optional<std::uint64_t> take_hex(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    const auto part = text.substr(0, digits);
    if (part.find_first_not_of("0123456789abcdef") != part.npos) return std::nullopt;
    std::uint64_t value = 0;
    std::from_chars(part.data(), part.data() + digits, value, 16);
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(1);
    return true;
}

bool take_own(std::string_view& text, Position& position) {
    const auto epoch = take_hex(text, 11);
    if (!epoch || !take(text, '-')) return false;
    const auto count = take_hex(text, 10);
    if (!count) return false;
    position.epoch = *epoch;
    position.count = *count;
    return true;
}

}  // namespace

std::string to_serial(const Position& position) {
    ShortText text;
    if (position.wal == WalPlace{}) {
        text.put('m');
        text.put_own(position);
        return text.text();
    }
    text.put('w');
    text.put_place(position.wal);
    if (position.count > 0) {
        text.put('+');
        text.put_own(position);
    }
    return text.text();
}

std::optional<Position> parse_serial(std::string_view serial) {
    Position position;
    if (take(serial, 'm')) {
        if (!take_own(serial, position)) return std::nullopt;
    } else if (take(serial, 'w')) {
        const auto lsn = take_hex(serial, 16);
        if (!lsn || !take(serial, '-')) return std::nullopt;
        const auto index = take_hex(serial, 8);
        if (!index) return std::nullopt;
        position.wal = {*lsn, static_cast<std::uint32_t>(*index)};
        if (position.wal == WalPlace{}) return std::nullopt;  // to_serial() writes that otherwise
        if (take(serial, '+') && (!take_own(serial, position) || position.count == 0)) return std::nullopt;
    } else {
        return std::nullopt;
    }
    return serial.empty() ? std::optional{position} : std::nullopt;
}

std::string to_id(const WalPlace& place) {
    ShortText text;
    text.put_place(place);
    return text.text();
}

}  // namespace broker
