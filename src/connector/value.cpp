#include "connector/value.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/json_writer.hpp"

namespace connector {
namespace {

/// The oids of pg_type.dat: fixed for ever, for those of Postgres's own types.
namespace oid {
constexpr std::uint32_t boolean = 16, int8 = 20, int2 = 21, int4 = 23, text = 25, object = 26, json = 114, float4 = 700, float8 = 701,
                        bpchar = 1042, varchar = 1043, date = 1082, timestamp = 1114, timestamptz = 1184, numeric = 1700, uuid = 2950,
                        jsonb = 3802;
}

constexpr std::size_t digits_of_a_double = 15;

bool is_digit(char each) { return each >= '0' && each <= '9'; }

/// Whether a reader that makes doubles of numbers, as JavaScript does, has every digit of this one. Not so NaN and Infinity.
bool survives_as_double(std::string_view text) {
    const auto mantissa = text.substr(0, text.find_first_of("eE"));
    if (mantissa.empty() || !is_digit(mantissa.back())) return false;
    const auto first = mantissa.find_first_of("123456789");
    if (first == mantissa.npos) return true;  // some form of zero
    return static_cast<std::size_t>(std::ranges::count_if(mantissa.substr(first), is_digit)) <= digits_of_a_double;
}

/// 2^53, the last integer before doubles have gaps, has 16 digits.
bool is_exact_integer(std::string_view text) {
    constexpr std::string_view largest = "9007199254740992";
    const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
    return digits.size() < largest.size() || (digits.size() == largest.size() && digits <= largest);
}

/// `2024-05-06 07:08:09.1+00` (DateStyle ISO, in UTC as our sessions are) → `2024-05-06T07:08:09.1+00:00`. What has another form,
/// such as `infinity` or a year BC, stays as it is.
std::string iso_8601(std::string_view text, bool has_zone) {
    std::string result{text};
    if (text.size() < 19 || text[10] != ' ' || !is_digit(text.back())) return result;
    result[10] = 'T';
    if (has_zone && text.ends_with("+00")) result += ":00";
    return result;
}

/// A value in Postgres's text form, piece by piece.
class TextReader {
public:
    explicit TextReader(std::string_view text) : rest_(text) {}
    bool ended() const { return rest_.empty(); }
    bool take(std::string_view wanted) {
        if (!rest_.starts_with(wanted)) return false;
        rest_.remove_prefix(wanted.size());
        return true;
    }
    bool is_at(char wanted) const { return rest_.starts_with(wanted); }
    void skip_past(char mark) { rest_.remove_prefix(std::min(rest_.find(mark) + 1, rest_.size())); }
    /// An element's text, up to one of `ends` or in quotes, valid until the next one; nothing when this is none.
    std::optional<std::string_view> element(std::string_view ends) {
        was_quoted_ = take("\"");
        return was_quoted_ ? quoted() : bare(ends);
    }
    bool was_quoted() const { return was_quoted_; }

private:
    std::optional<std::string_view> bare(std::string_view ends) {
        const auto end = rest_.find_first_of(ends);
        if (end == 0 || end == rest_.npos) return std::nullopt;
        const auto taken = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return taken;
    }
    /// A quote or backslash within is escaped by a backslash, or, in a composite, doubled.
    std::optional<std::string_view> quoted() {
        unescaped_.clear();
        while (!rest_.empty()) {
            const auto plain = rest_.substr(0, rest_.find_first_of("\"\\"));
            unescaped_ += plain;
            rest_.remove_prefix(plain.size());
            if (take("\"") && !is_at('"')) return unescaped_;
            take("\\");
            unescaped_ += rest_.substr(0, 1);
            rest_.remove_prefix(std::min<std::size_t>(rest_.size(), 1));
        }
        return std::nullopt;
    }
    std::string_view rest_;
    bool was_quoted_ = false;
    std::string unescaped_;
};

// Each is false, and has appended something, when the text is not what it should be.

/// The manual, "Array Input and Output Syntax". The bounds are dropped.
bool append_array(std::string& out, const Types& types, const Types::Type& array, std::string_view text) {
    TextReader in{text};
    if (in.is_at('[')) in.skip_past('=');
    protocol::JsonWriter json{out};
    const char ends[] = {array.delimiter, '}', '\0'};
    std::size_t depth = 0;
    do {
        if (in.take("{")) {
            if (depth++ > 0) json.element();
            out += '[';
            if (!in.take("}")) continue;
            out += ']';
            --depth;
        } else {
            const auto element = in.element(ends);
            if (depth == 0 || !element) return false;
            json.element();
            if (!in.was_quoted() && *element == "NULL") json.null();
            else append_value(out, types, array.of, *element);
        }
        for (; depth > 0 && in.take("}"); --depth) out += ']';
        if (depth > 0 && !in.take({&array.delimiter, 1})) return false;
    } while (depth > 0);
    return in.ended();
}

/// The manual, "Composite Type Input and Output Syntax": NULL is nothing at all. An object, as to_json() makes of it.
bool append_composite(std::string& out, const Types& types, const Types::Type& composite, std::string_view text) {
    TextReader in{text};
    protocol::JsonWriter json{out};
    if (!in.take("(")) return false;
    out += '{';
    for (bool first = true; const auto& [name, type] : composite.fields) {
        if (!std::exchange(first, false) && !in.take(",")) return false;
        json.key(name);
        if (in.is_at(',') || in.is_at(')')) {
            json.null();
            continue;
        }
        const auto value = in.element(",)");
        if (!value) return false;
        append_value(out, types, type, *value);
    }
    out += '}';
    return in.take(")") && in.ended();
}

/// `"key"=>"value", "key"=>NULL`, as an object of texts: hstore's own cast to JSON, which to_json() uses.
bool append_hstore(std::string& out, std::string_view text) {
    TextReader in{text};
    protocol::JsonWriter json{out};
    out += '{';
    for (bool first = true; !in.ended(); first = false) {
        if (!first && !in.take(", ")) return false;
        const auto key = in.element(" ");
        if (!key || !in.was_quoted()) return false;
        json.key(*key);
        if (!in.take("=>")) return false;
        if (in.take("NULL")) {
            json.null();
            continue;
        }
        const auto value = in.element(" ");
        if (!value || !in.was_quoted()) return false;
        json.text(*value);
    }
    out += '}';
    return true;
}

bool append_made(std::string& out, const Types& types, const Types::Type& type, std::string_view text) {
    switch (type.kind) {
        case Types::Kind::domain: append_value(out, types, type.of, text); return true;
        case Types::Kind::array: return append_array(out, types, type, text);
        case Types::Kind::composite: return append_composite(out, types, type, text);
        case Types::Kind::hstore: return append_hstore(out, text);
        case Types::Kind::text: break;
    }
    return false;
}

}  // namespace

void append_value(std::string& out, const Types& types, std::uint32_t type, std::string_view text) {
    protocol::JsonWriter json{out};
    const auto number = [&](bool exact) { exact ? json.json(text) : json.text(text); };
    switch (type) {
        case oid::boolean: return json.boolean(text == "t");
        case oid::json:
        case oid::jsonb: return json.json(text);
        case oid::int2:
        case oid::int4:
        case oid::object: return number(true);
        case oid::int8: return number(is_exact_integer(text));
        case oid::numeric: return number(survives_as_double(text));
        case oid::float4:
        case oid::float8: return number(!text.empty() && is_digit(text.back()));  // not NaN, not Infinity
        case oid::timestamp: return json.text(iso_8601(text, false));
        case oid::timestamptz: return json.text(iso_8601(text, true));
        case oid::text:  // these are looked up in no table
        case oid::bpchar:
        case oid::varchar:
        case oid::date:
        case oid::uuid: return json.text(text);
        default: break;
    }
    if (const auto* made = types.find(type)) {
        const auto before = out.size();
        if (append_made(out, types, *made, text)) return;
        out.resize(before);
    }
    json.text(text);
}

}  // namespace connector
