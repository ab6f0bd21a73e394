#include "connector/value.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "protocol/json_writer.hpp"

namespace connector {
namespace {

/// The oids of pg_type.dat: fixed for ever, for those of Postgres's own types.
namespace oid {
constexpr std::uint32_t boolean = 16, int8 = 20, int2 = 21, int4 = 23, text = 25, object = 26, json = 114, float4 = 700, float8 = 701,
                        boxes = 1020, timestamp = 1114, timestamptz = 1184, numeric = 1700, jsonb = 3802, texts = 1009;
}

/// The types whose values are not JSON texts, and the arrays of them.
struct OwnType {
    std::string_view name;
    std::uint32_t type, array;
};
constexpr std::array own_types{
    OwnType{"bool", oid::boolean, 1000},        OwnType{"int8", oid::int8, 1016},       OwnType{"int2", oid::int2, 1005},
    OwnType{"int4", oid::int4, 1007},           OwnType{"oid", oid::object, 1028},      OwnType{"json", oid::json, 199},
    OwnType{"jsonb", oid::jsonb, 3807},         OwnType{"float4", oid::float4, 1021},   OwnType{"float8", oid::float8, 1022},
    OwnType{"timestamp", oid::timestamp, 1115}, OwnType{"timestamptz", oid::timestamptz, 1185}, OwnType{"numeric", oid::numeric, 1231},
};
/// The other arrays that come with Postgres: of names, characters, bits, geometry, addresses, times, ranges, and what its catalog has.
constexpr std::array text_arrays{
    143u,  271u,  629u,  651u,  719u,  775u,  791u,  1001u, 1002u, 1003u, 1006u, 1008u, oid::texts,   1010u, 1011u, 1012u, 1013u, 1014u,
    1015u, 1017u, 1018u, 1019u, oid::boxes, 1027u, 1034u, 1040u, 1041u, 1182u, 1183u, 1187u, 1263u, 1270u, 1561u, 1563u, 2201u, 2207u,
    2208u, 2209u, 2210u, 2211u, 2949u, 2951u, 3221u, 3643u, 3644u, 3645u, 3735u, 3770u, 3905u, 3907u, 3909u, 3911u, 3913u, 3927u,
    4073u, 4090u, 4097u, 4192u, 5039u, 6150u, 6151u, 6152u, 6153u, 6155u, 6157u};
static_assert(std::ranges::is_sorted(text_arrays));

std::optional<std::uint32_t> element_of(std::uint32_t array) {
    if (std::ranges::binary_search(text_arrays, array)) return oid::text;
    const auto own = std::ranges::find(own_types, array, &OwnType::array);
    if (own == own_types.end()) return std::nullopt;
    return own->type;
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

/// An array in Postgres's text form (manual, "Array Input and Output Syntax"), piece by piece; its bounds are passed by.
class ArrayReader {
public:
    ArrayReader(std::string_view text, char delimiter) : rest_(text), delimiter_(delimiter) {
        if (rest_.starts_with('[')) rest_.remove_prefix(std::min(rest_.find('=') + 1, rest_.size()));
    }
    bool ended() const { return rest_.empty(); }
    bool take(char wanted) {
        if (!rest_.starts_with(wanted)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// An element's text, valid until the next one; nothing when this is none.
    std::optional<std::string_view> element() {
        was_quoted_ = take('"');
        return was_quoted_ ? quoted() : bare();
    }
    bool was_quoted() const { return was_quoted_; }

private:
    std::optional<std::string_view> bare() {
        const auto end = std::min(rest_.find(delimiter_), rest_.find('}'));
        if (end == 0 || end > rest_.size()) return std::nullopt;
        const auto taken = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return taken;
    }
    std::optional<std::string_view> quoted() {
        unescaped_.clear();
        while (!rest_.empty()) {
            const auto plain = rest_.substr(0, rest_.find_first_of("\"\\"));
            unescaped_ += plain;
            rest_.remove_prefix(plain.size());
            if (take('"')) return unescaped_;
            rest_.remove_prefix(std::min<std::size_t>(rest_.size(), 1));  // the backslash
            unescaped_ += rest_.substr(0, 1);
            rest_.remove_prefix(std::min<std::size_t>(rest_.size(), 1));
        }
        return std::nullopt;
    }
    std::string_view rest_;
    char delimiter_;
    bool was_quoted_ = false;
    std::string unescaped_;
};

/// False, having appended something, when this is not an array's text.
bool append_array(std::string& out, std::uint32_t element_type, ArrayReader in, char delimiter) {
    protocol::JsonWriter json{out};
    std::size_t depth = 0;
    do {
        if (in.take('{')) {
            if (depth++ > 0) json.element();
            out += '[';
            if (!in.take('}')) continue;
            out += ']';
            --depth;
        } else {
            const auto element = in.element();
            if (depth == 0 || !element) return false;
            json.element();
            if (!in.was_quoted() && *element == "NULL") json.null();
            else append_value(out, element_type, *element);
        }
        for (; depth > 0 && in.take('}'); --depth) out += ']';
        if (depth > 0 && !in.take(delimiter)) return false;
    } while (depth > 0);
    return in.ended();
}

}  // namespace

void append_value(std::string& out, std::uint32_t type, std::string_view text) {
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
        case oid::text: return json.text(text);
        default: break;
    }
    if (const auto element = element_of(type)) {
        const auto before = out.size();
        const char delimiter = type == oid::boxes ? ';' : ',';
        if (append_array(out, *element, ArrayReader{text, delimiter}, delimiter)) return;
        out.resize(before);
    }
    json.text(text);
}

void Types::learn(const postgres::pgoutput::Type& message) {
    const bool is_array = message.name.starts_with('_');
    std::uint32_t form = is_array ? oid::texts : oid::text;
    if (message.schema.empty()) {  // a domain over one of Postgres's own
        const auto own = std::ranges::find(own_types, message.name.substr(is_array ? 1 : 0), &OwnType::name);
        if (own != own_types.end()) form = is_array ? own->array : own->type;
        else if (message.name == "_box") form = oid::boxes;
    }
    forms_[message.oid] = form;
}

std::uint32_t Types::read_as(std::uint32_t type) const {
    const auto found = forms_.find(type);
    return found == forms_.end() ? type : found->second;
}

}  // namespace connector
