#include "protocol/json_writer.hpp"

#include <array>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "protocol/json_plain.hpp"

namespace protocol {

void JsonWriter::integer(std::int64_t value) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out_.append(digits.data(), end);
}

void JsonWriter::number(const Number& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return integer(*whole);
    std::visit([&](auto plain) { fmt::format_to(std::back_inserter(out_), "{}", plain); }, value);  // a double in its shortest form
}

void JsonWriter::text(std::string_view value) {
    constexpr std::string_view hex = "0123456789abcdef";
    auto at = plain_prefix(value);
    if (at == value.size()) {
        return append(at + 2, [&](char* to) {
            *to++ = '"';
            std::memcpy(to, value.data(), at);
            to[at] = '"';
        });
    }
    out_ += '"';
    std::size_t start = 0;
    for (; at < value.size(); ++at, at += plain_prefix(value.substr(at))) {
        const auto byte = static_cast<unsigned char>(value[at]);
        if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
        out_.append(value, start, at - start);
        start = at + 1;
        switch (byte) {
            case '"': out_ += "\\\""; break;
            case '\\': out_ += "\\\\"; break;
            case '\n': out_ += "\\n"; break;
            case '\r': out_ += "\\r"; break;
            case '\t': out_ += "\\t"; break;
            default:
                out_ += "\\u00";
                out_ += hex[byte >> 4];
                out_ += hex[byte & 0xf];
        }
    }
    out_.append(value, start);
    out_ += '"';
}

}  // namespace protocol
