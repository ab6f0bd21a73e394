#include "protocol/json_reader.hpp"

#include <charconv>

#include "protocol/json_plain.hpp"
#include "protocol/json_writer.hpp"
#include "protocol/utf8.hpp"

namespace protocol {
namespace {

void append_utf8(std::string& out, unsigned point) {
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xc0 | point >> 6);
        out += static_cast<char>(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        out += static_cast<char>(0xe0 | point >> 12);
        out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (point & 0x3f));
    } else {
        out += static_cast<char>(0xf0 | point >> 18);
        out += static_cast<char>(0x80 | (point >> 12 & 0x3f));
        out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (point & 0x3f));
    }
}

template <class T>
bool convert(std::string_view token, T& out) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), out);
    return error == std::errc{} && end == token.data() + token.size();
}

}  // namespace

const std::array<Kind, 256> JsonReader::kinds = [] {
    std::array<Kind, 256> all{};  // none
    all['"'] = Kind::text;
    all['{'] = Kind::object;
    all['['] = Kind::array;
    all['t'] = all['f'] = Kind::boolean;
    all['n'] = Kind::null;
    for (const char first : std::string_view{"-0123456789"}) all[static_cast<unsigned char>(first)] = Kind::number;
    return all;
}();

void JsonReader::skip_more_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
}

bool JsonReader::at_end() {
    skip_space();
    return at_ == text_.size();
}

bool JsonReader::skip(int depth) {
    switch (kind()) {
        case Kind::null: return literal("null");
        case Kind::boolean: {
            bool ignored = false;
            return boolean(ignored);
        }
        case Kind::number: {
            Number ignored;
            return number(ignored);
        }
        case Kind::text: {
            std::string ignored;
            std::string_view view;
            return string(view, ignored);
        }
        case Kind::array: return depth < nesting_max && array([&] { return skip(depth + 1); });
        case Kind::object: return depth < nesting_max && object([&](std::string_view) { return skip(depth + 1); });
        default: return false;
    }
}

bool JsonReader::skip_key() {
    std::string ignored;
    std::string_view view;
    return string(view, ignored) && take(':');
}

/// Without recursion: what is open is a byte each.
bool JsonReader::skip_anything() {
    std::string closers;
    for (;;) {
        const auto kind = this->kind();
        if (kind == Kind::array || kind == Kind::object) {
            const char closer = kind == Kind::array ? ']' : '}';
            ++at_;
            if (!take(closer)) {
                closers += closer;
                if (kind == Kind::object && !skip_key()) return false;
                continue;
            }
        } else if (kind == Kind::number ? number_token().empty() : !skip()) {
            return false;
        }
        while (!closers.empty() && take(closers.back())) closers.pop_back();
        if (closers.empty()) return true;
        if (!take(',') || (closers.back() == '}' && !skip_key())) return false;
    }
}

bool JsonReader::json(std::string& out) {
    skip_space();
    const auto start = at_;
    replaced_ = false;
    if (!skip()) return false;
    out = text_.substr(start, at_ - start);
    if (!replaced_) return true;
    JsonReader again{text_.substr(start, at_ - start)};
    out.clear();
    JsonWriter writer{out};
    return copy_value(again, writer);
}

bool JsonReader::literal(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
}

bool JsonReader::boolean(bool& out) {
    skip_space();
    out = literal("true");
    return out || literal("false");
}

std::size_t JsonReader::digits() {
    const auto start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ - start;
}

/// number := [ '-' ] ( '0' | digit19 digit* ) [ '.' digit+ ] [ ( 'e' | 'E' ) [ '+' | '-' ] digit+ ]; empty for anything else.
std::string_view JsonReader::number_token() {
    skip_space();
    const auto start = at_;
    literal("-");
    const auto first = at_;
    const auto count = digits();
    if (count == 0 || (count > 1 && text_[first] == '0')) return {};
    if (literal(".") && digits() == 0) return {};
    if (literal("e") || literal("E")) {
        if (!literal("+")) literal("-");
        if (digits() == 0) return {};
    }
    return text_.substr(start, at_ - start);
}

/// An integer as most are, without a fraction and not so large that it could be too large; else nothing is read.
std::optional<std::int64_t> JsonReader::usual_integer() {
    constexpr std::size_t digits_max = 18;
    skip_space();
    const auto rest = text_.substr(at_);
    const bool negative = rest.starts_with('-');
    std::size_t end = negative;
    std::int64_t value = 0;
    for (; end < rest.size() && rest[end] >= '0' && rest[end] <= '9'; ++end) {
        if (end > digits_max) return std::nullopt;
        value = value * 10 + (rest[end] - '0');
    }
    const auto count = end - negative;
    const bool leads_with_zero = count > 0 && rest[negative] == '0';
    if (count == 0 || (leads_with_zero && (count > 1 || negative))) return std::nullopt;
    if (end < rest.size() && (rest[end] == '.' || rest[end] == 'e' || rest[end] == 'E')) return std::nullopt;
    at_ += end;
    return negative ? -value : value;
}

bool JsonReader::number(Number& out) {
    if (const auto usual = usual_integer()) {
        out = *usual;
        return true;
    }
    const auto token = number_token();
    // "-0" is a float: there is no such integer.
    if (token.find_first_of(".eE") == token.npos && token != "-0") {
        std::int64_t integer = 0;
        if (convert(token, integer)) {
            out = integer;
            return true;
        }
        std::uint64_t large = 0;
        if (convert(token, large)) {
            out = large;
            return true;
        }
    }
    double real = 0;
    if (!convert(token, real)) return false;
    out = real;
    return true;
}

bool JsonReader::text(std::string& out) {
    std::string_view view;
    if (!string(view, out)) return false;
    if (view.data() != out.data()) out = view;
    return true;
}

/// `out` is the input's own bytes, or `unescaped` once there is an escape to resolve.
bool JsonReader::string(std::string_view& out, std::string& unescaped) {
    if (!take('"')) return false;
    bool escaped = false;
    auto start = at_;  // of what is not in `unescaped` yet
    for (;;) {
        at_ += plain_prefix(text_.substr(at_));
        if (at_ == text_.size()) return false;
        const auto byte = static_cast<unsigned char>(text_[at_]);
        if (byte == '"') {
            out = text_.substr(start, at_ - start);
            ++at_;
            if (escaped) out = unescaped.append(out);
            return true;
        }
        if (byte == '\\') {
            if (!escaped) unescaped.clear();
            escaped = true;
            unescaped.append(text_, start, at_ - start);
            if (!escape(unescaped)) return false;
            start = at_;
        } else if (byte >= 0x80) {
            const auto size = utf8_sequence(text_.substr(at_));
            if (size == 0) return false;
            at_ += size;
        } else {
            return false;
        }
    }
}

bool JsonReader::escape(std::string& out) {
    constexpr std::string_view escapes = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    ++at_;
    if (at_ == text_.size()) return false;
    if (const auto simple = escapes.find(text_[at_]); simple != escapes.npos) {
        ++at_;
        out += meanings[simple];
        return true;
    }
    unsigned point = 0;
    if (!literal("u") || !hex4(point)) return false;
    if (point >= 0xd800 && point <= 0xdfff) {
        unsigned low = 0;
        if (point >= 0xdc00 || !low_surrogate(low)) {
            replaced_ = true;
            out += replacement_character;
            return true;
        }
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, point);
    return true;
}

/// The second half of a pair, when it is next; anything else stays.
bool JsonReader::low_surrogate(unsigned& out) {
    const auto start = at_;
    if (literal("\\u") && hex4(out) && out >= 0xdc00 && out <= 0xdfff) return true;
    at_ = start;
    return false;
}

bool JsonReader::hex4(unsigned& out) {
    const auto token = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), out, 16);
    if (token.size() < 4 || error != std::errc{} || end != token.data() + 4) return false;
    at_ += 4;
    return true;
}

}  // namespace protocol
