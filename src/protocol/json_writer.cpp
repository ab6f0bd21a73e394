#include "protocol/json_writer.hpp"

#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "protocol/json_plain.hpp"

namespace protocol {

void JsonWriter::integer(std::int64_t value) {
    append(integer_bytes_max, [&](char* to) { return std::to_chars(to, to + integer_bytes_max, value).ptr; });
}

void JsonWriter::named(std::string_view plain, std::int64_t integer) {
    append(name_bytes_max + plain.size() + integer_bytes_max, [&](char* to) {
        to = put_name(to, plain);
        return std::to_chars(to, to + integer_bytes_max, integer).ptr;
    });
}

void JsonWriter::named(std::string_view plain, std::string_view text) {
    if (plain_prefix(text) < text.size()) {
        name(plain);
        return this->text(text);
    }
    append(name_bytes_max + plain.size() + 2 + text.size(), [&](char* to) { return put_plain_text(put_name(to, plain), text); });
}

void JsonWriter::number(const Number& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return integer(*whole);
    std::visit([&](auto plain) { fmt::format_to(std::back_inserter(out_), "{}", plain); }, value);  // a double in its shortest form
}

void JsonWriter::text(std::string_view value) {
    const auto plain = plain_prefix(value);
    if (plain == value.size()) return append(plain + 2, [&](char* to) { return put_plain_text(to, value); });
    const auto most = value.size() + escapes_in(value.substr(plain)) * (escape_bytes_max - 1) + 2;
    append(most + escaping_slack, [&](char* to) {
        *to++ = '"';
        to = escape(value, to);
        *to++ = '"';
        return to;
    });
}

}  // namespace protocol
