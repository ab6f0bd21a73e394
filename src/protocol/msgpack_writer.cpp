#include "protocol/msgpack_writer.hpp"

#include <bit>
#include <limits>

#include "protocol/json_reader.hpp"

namespace protocol {
namespace {

constexpr std::size_t lead_bytes_max = 9;  // a value's first byte, and a number behind it

char* put_lead(char* to, unsigned lead, std::uint64_t value, int bytes) {
    *to++ = static_cast<char>(lead);
    while (bytes-- > 0) *to++ = static_cast<char>(value >> (8 * bytes) & 0xff);
    return to;
}

char* put_integer(char* to, std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    if (value >= -32 && value <= 127) return put_lead(to, static_cast<unsigned>(bits & 0xff), 0, 0);
    if (value >= 0 && bits <= 0xff) return put_lead(to, 0xcc, bits, 1);
    if (value >= 0 && bits <= 0xffff) return put_lead(to, 0xcd, bits, 2);
    if (value >= 0 && bits <= 0xffff'ffff) return put_lead(to, 0xce, bits, 4);
    if (value >= 0) return put_lead(to, 0xcf, bits, 8);
    if (value >= std::numeric_limits<std::int8_t>::min()) return put_lead(to, 0xd0, bits, 1);
    if (value >= std::numeric_limits<std::int16_t>::min()) return put_lead(to, 0xd1, bits, 2);
    if (value >= std::numeric_limits<std::int32_t>::min()) return put_lead(to, 0xd2, bits, 4);
    return put_lead(to, 0xd3, bits, 8);
}

char* put_text(char* to, std::string_view value) {
    const auto size = value.size();
    if (size < 32) to = put_lead(to, 0xa0 | static_cast<unsigned>(size), 0, 0);
    else if (size <= 0xff) to = put_lead(to, 0xd9, size, 1);
    else if (size <= 0xffff) to = put_lead(to, 0xda, size, 2);
    else to = put_lead(to, 0xdb, size, 4);
    return to + value.copy(to, size);
}

}  // namespace

void MsgpackWriter::append_lead(unsigned lead, std::uint64_t value, int bytes) {
    append(lead_bytes_max, [&](char* to) { return put_lead(to, lead, value, bytes); });
}

void MsgpackWriter::integer(std::int64_t value) {
    append(lead_bytes_max, [&](char* to) { return put_integer(to, value); });
}

void MsgpackWriter::number(const Number& value) {
    if (const auto* signed_one = std::get_if<std::int64_t>(&value)) integer(*signed_one);
    else if (const auto* large = std::get_if<std::uint64_t>(&value)) append_lead(0xcf, *large, 8);
    else append_lead(0xcb, std::bit_cast<std::uint64_t>(std::get<double>(value)), 8);
}

void MsgpackWriter::text(std::string_view value) {
    append(lead_bytes_max + value.size(), [&](char* to) { return put_text(to, value); });
}

void MsgpackWriter::named(std::string_view plain, std::string_view value) {
    ++count_;
    append(2 * lead_bytes_max + plain.size() + value.size(), [&](char* to) { return put_text(put_text(to, plain), value); });
}

void MsgpackWriter::named(std::string_view plain, std::int64_t value) {
    ++count_;
    append(2 * lead_bytes_max + plain.size(), [&](char* to) { return put_integer(put_text(to, plain), value); });
}

void MsgpackWriter::binary(std::string_view value) {
    const auto size = value.size();
    if (size <= 0xff) append_lead(0xc4, size, 1);
    else if (size <= 0xffff) append_lead(0xc5, size, 2);
    else append_lead(0xc6, size, 4);
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
    const bool fits = count_ <= 0xffff;
    const int bytes = fits ? 2 : 4;
    out_.insert(at, static_cast<std::size_t>(bytes), '\0');
    put_lead(&out_[at], fits ? large : large + 1, count_, bytes);
}

}  // namespace protocol
