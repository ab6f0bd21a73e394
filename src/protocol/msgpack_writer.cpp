#include "protocol/msgpack_writer.hpp"

#include <bit>
#include <limits>

#include "protocol/json_reader.hpp"

namespace protocol {
namespace {

std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes) & 0xff);
    return text;
}

}  // namespace

void MsgpackWriter::append(unsigned lead, std::uint64_t value, int bytes) {
    const auto before = out_.size(), after = before + 1 + static_cast<std::size_t>(bytes);
    out_.resize_and_overwrite(after, [&](char* text, std::size_t) {
        char* to = text + before;
        *to++ = static_cast<char>(lead);
        while (bytes-- > 0) *to++ = static_cast<char>(value >> (8 * bytes) & 0xff);
        return after;
    });
}

void MsgpackWriter::integer(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    if (value >= -32 && value <= 127) append(static_cast<unsigned>(bits & 0xff), 0, 0);
    else if (value >= 0 && bits <= 0xff) append(0xcc, bits, 1);
    else if (value >= 0 && bits <= 0xffff) append(0xcd, bits, 2);
    else if (value >= 0 && bits <= 0xffff'ffff) append(0xce, bits, 4);
    else if (value >= 0) append(0xcf, bits, 8);
    else if (value >= std::numeric_limits<std::int8_t>::min()) append(0xd0, bits, 1);
    else if (value >= std::numeric_limits<std::int16_t>::min()) append(0xd1, bits, 2);
    else if (value >= std::numeric_limits<std::int32_t>::min()) append(0xd2, bits, 4);
    else append(0xd3, bits, 8);
}

void MsgpackWriter::number(const Number& value) {
    if (const auto* signed_one = std::get_if<std::int64_t>(&value)) integer(*signed_one);
    else if (const auto* large = std::get_if<std::uint64_t>(&value)) append(0xcf, *large, 8);
    else append(0xcb, std::bit_cast<std::uint64_t>(std::get<double>(value)), 8);
}

void MsgpackWriter::text(std::string_view value) {
    const auto size = value.size();
    if (size < 32) append(0xa0 | static_cast<unsigned>(size), 0, 0);
    else if (size <= 0xff) append(0xd9, size, 1);
    else if (size <= 0xffff) append(0xda, size, 2);
    else append(0xdb, size, 4);
    out_ += value;
}

void MsgpackWriter::binary(std::string_view value) {
    const auto size = value.size();
    if (size <= 0xff) append(0xc4, size, 1);
    else if (size <= 0xffff) append(0xc5, size, 2);
    else append(0xc6, size, 4);
    out_ += value;
}

void MsgpackWriter::json(std::string_view value) {
    const auto start = out_.size();
    JsonReader in{value};
    if (copy_value(in, *this) && in.at_end()) return;
    out_.resize(start);
    null();
}

void MsgpackWriter::put_count(std::size_t at, unsigned small, unsigned large) {
    if (count_ < 16) {
        out_[at] = static_cast<char>(small | count_);
        return;
    }
    out_[at] = static_cast<char>(count_ <= 0xffff ? large : large + 1);
    out_.insert(at + 1, big_endian(count_, count_ <= 0xffff ? 2 : 4));
}

}  // namespace protocol
