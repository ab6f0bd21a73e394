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
    const auto plain = plain_prefix(value);
    if (plain == value.size()) {
        return append(plain + 2, [&](char* to) {
            *to++ = '"';
            std::memcpy(to, value.data(), plain);
            to[plain] = '"';
        });
    }
    const auto before = out_.size(), most = value.size() + escapes_in(value.substr(plain)) * (escape_bytes_max - 1) + 2;
    out_.resize_and_overwrite(before + most + escaping_slack, [&](char* text, std::size_t) {
        char* to = text + before;
        *to++ = '"';
        to = escape(value, to);
        *to++ = '"';
        return static_cast<std::size_t>(to - text);
    });
}

}  // namespace protocol
