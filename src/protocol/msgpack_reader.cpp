#include "protocol/msgpack_reader.hpp"

#include <algorithm>
#include <bit>

#include "protocol/json_writer.hpp"
#include "protocol/utf8.hpp"

namespace protocol {

const std::array<Kind, 256> MsgpackReader::kinds = [] {
    std::array<Kind, 256> all;
    all.fill(Kind::number);  // up to 0x7f, from 0xe0 on, and 0xca to 0xd3
    const auto are = [&](unsigned from, unsigned to, Kind kind) { std::fill(all.begin() + from, all.begin() + to + 1, kind); };
    are(0x80, 0x8f, Kind::object);
    are(0x90, 0x9f, Kind::array);
    are(0xa0, 0xbf, Kind::text);
    are(0xc0, 0xc0, Kind::null);
    are(0xc1, 0xc1, Kind::none);
    are(0xc2, 0xc3, Kind::boolean);
    are(0xc4, 0xc6, Kind::binary);
    are(0xc7, 0xc9, Kind::other);
    are(0xd4, 0xd8, Kind::other);
    are(0xd9, 0xdb, Kind::text);
    are(0xdc, 0xdd, Kind::array);
    are(0xde, 0xdf, Kind::object);
    return all;
}();

bool MsgpackReader::take(std::size_t size, std::string_view& out) {
    if (size > bytes_.size() - at_) return false;
    out = bytes_.substr(at_, size);
    at_ += size;
    return true;
}

template <class Unsigned>
bool MsgpackReader::big_endian(Unsigned& out) {
    std::string_view bytes;
    if (!take(sizeof(Unsigned), bytes)) return false;
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    out = static_cast<Unsigned>(value);
    return true;
}

/// A length of 1, 2 or 4 bytes, then so many bytes and `extra` more.
bool MsgpackReader::counted(int count_bytes, std::size_t extra, std::string_view& out) {
    std::uint8_t count8 = 0;
    std::uint16_t count16 = 0;
    std::uint32_t count32 = 0;
    switch (count_bytes) {
        case 1: return big_endian(count8) && take(count8 + extra, out);
        case 2: return big_endian(count16) && take(count16 + extra, out);
        default: return big_endian(count32) && take(count32 + extra, out);
    }
}

bool MsgpackReader::boolean(bool& out) {
    if (kind() != Kind::boolean) return false;
    out = bytes_[at_++] == '\xc3';
    return true;
}

bool MsgpackReader::number(Number& out) {
    if (kind() != Kind::number) return false;
    const auto byte = lead();
    ++at_;
    if (byte <= 0x7f || byte >= 0xe0) {
        out = std::int64_t{static_cast<std::int8_t>(byte)};
        return true;
    }
    const auto read = [&]<class Wire, class Value>(Wire wire, Value as_value) {
        if (!big_endian(wire)) return false;
        out = as_value(wire);
        return true;
    };
    const auto integer = [](auto wire) { return static_cast<std::int64_t>(wire); };
    switch (byte) {
        case 0xca: return read(std::uint32_t{}, [](auto wire) { return double{std::bit_cast<float>(wire)}; });
        case 0xcb: return read(std::uint64_t{}, [](auto wire) { return std::bit_cast<double>(wire); });
        case 0xcc: return read(std::uint8_t{}, integer);
        case 0xcd: return read(std::uint16_t{}, integer);
        case 0xce: return read(std::uint32_t{}, integer);
        case 0xcf: return read(std::uint64_t{}, [&](auto wire) { return wire >> 63 ? Number{wire} : Number{integer(wire)}; });
        case 0xd0: return read(std::int8_t{}, integer);
        case 0xd1: return read(std::int16_t{}, integer);
        case 0xd2: return read(std::int32_t{}, integer);
        default: return read(std::int64_t{}, integer);
    }
}

/// `out` is the input's own bytes, or `replaced` when they are not UTF-8.
bool MsgpackReader::string(std::string_view& out, std::string& replaced) {
    if (kind() != Kind::text) return false;
    const auto byte = lead();
    ++at_;
    const bool taken = byte <= 0xbf ? take(byte & 0x1f, out) : counted(1 << (byte - 0xd9), 0, out);
    if (taken && !is_utf8(out)) out = replaced = well_formed(out);
    return taken;
}

bool MsgpackReader::text(std::string& out) {
    std::string_view view;
    if (!string(view, out)) return false;
    if (view.data() != out.data()) out = view;
    return true;
}

bool MsgpackReader::binary(std::string& out) {
    if (kind() != Kind::binary) return false;
    const auto byte = lead();
    ++at_;
    std::string_view view;
    if (!counted(1 << (byte - 0xc4), 0, view)) return false;
    out = view;
    return true;
}

bool MsgpackReader::skip_bytes() {
    std::string_view ignored;
    const auto byte = lead();
    ++at_;
    return counted(1 << (byte - 0xc4), 0, ignored);
}

bool MsgpackReader::array_header(std::uint32_t& count) {
    if (kind() != Kind::array) return false;
    const auto byte = lead();
    ++at_;
    std::uint16_t count16 = 0;
    if (byte == 0xdd) return big_endian(count);
    if (byte == 0xdc && !big_endian(count16)) return false;
    count = byte == 0xdc ? count16 : byte & 0xf;
    return true;
}

bool MsgpackReader::map_header(std::uint32_t& count) {
    if (kind() != Kind::object) return false;
    const auto byte = lead();
    ++at_;
    std::uint16_t count16 = 0;
    if (byte == 0xdf) return big_endian(count);
    if (byte == 0xde && !big_endian(count16)) return false;
    count = byte == 0xde ? count16 : byte & 0xf;
    return true;
}

/// 0xc7 to 0xc9 have a length, 0xd4 to 0xd8 are of 1, 2, 4, 8 and 16 bytes; each has a byte for its type besides.
bool MsgpackReader::skip_extension() {
    const auto byte = lead();
    ++at_;
    std::string_view ignored;
    return byte <= 0xc9 ? counted(1 << (byte - 0xc7), 1, ignored) : take((1u << (byte - 0xd4)) + 1, ignored);
}

bool MsgpackReader::skip(int depth) {
    switch (kind()) {
        case Kind::null:
            if (lead() == 0xd4) return skip_extension();
            ++at_;
            return true;
        case Kind::boolean: ++at_; return true;
        case Kind::number: {
            Number ignored;
            return number(ignored);
        }
        case Kind::text: {
            std::string ignored;
            std::string_view view;
            return string(view, ignored);
        }
        case Kind::binary: return skip_bytes();
        case Kind::array: return depth < nesting_max && array([&] { return skip(depth + 1); });
        case Kind::object: return depth < nesting_max && object([&](std::string_view) { return skip(depth + 1); });
        case Kind::other: return skip_extension();
        case Kind::none: return false;
    }
    return false;
}

/// Without recursion: how many values are to come is all there is to know. Each has a byte at least.
bool MsgpackReader::skip_anything() {
    for (std::uint64_t to_come = 1; to_come > 0; --to_come) {
        if (to_come > bytes_.size() - at_) return false;
        std::uint32_t count = 0;
        switch (kind()) {
            case Kind::array:
                if (!array_header(count)) return false;
                to_come += count;
                break;
            case Kind::object:
                if (!map_header(count)) return false;
                to_come += 2 * std::uint64_t{count};
                break;
            default:
                if (!skip()) return false;
        }
    }
    return true;
}

bool MsgpackReader::json(std::string& out) {
    out.clear();
    JsonWriter writer{out};
    return copy_value(*this, writer);
}

}  // namespace protocol
