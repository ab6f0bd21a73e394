#include "protocol/json_writer.hpp"

#include <iterator>

#include <fmt/format.h>

namespace protocol {

void JsonWriter::number(const Number& value) {
    std::visit([&](auto plain) { fmt::format_to(std::back_inserter(out_), "{}", plain); }, value);  // a double in its shortest form
}

void JsonWriter::text(std::string_view value) {
    constexpr std::string_view hex = "0123456789abcdef";
    out_ += '"';
    std::size_t start = 0;
    for (std::size_t at = 0; at < value.size(); ++at) {
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
