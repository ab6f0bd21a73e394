#include "broker/position.hpp"

#include <charconv>

#include <fmt/format.h>

namespace broker {
namespace {

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
    if (position.wal == WalPlace{}) return fmt::format("m{:011x}-{:010x}", position.epoch, position.count);
    if (position.count == 0) return "w" + to_id(position.wal);
    return fmt::format("w{}+{:011x}-{:010x}", to_id(position.wal), position.epoch, position.count);
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
        if (take(serial, '+') && !take_own(serial, position)) return std::nullopt;
    } else {
        return std::nullopt;
    }
    return serial.empty() ? std::optional{position} : std::nullopt;
}

std::string to_id(const WalPlace& place) { return fmt::format("{:016x}-{:08x}", place.commit_lsn, place.index); }

}  // namespace broker
