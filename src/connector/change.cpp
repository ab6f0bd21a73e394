#include "connector/change.hpp"

#include <algorithm>

#include "protocol/json_writer.hpp"

namespace connector {
namespace {

using namespace postgres::pgoutput;
using Kind = postgres::pgoutput::Column::Kind;

/// The oids of pg_type.dat: fixed for ever, for those of Postgres's own types.
namespace oid {
constexpr std::uint32_t boolean = 16, int8 = 20, int2 = 21, int4 = 23, object = 26, json = 114, float4 = 700, float8 = 701,
                        timestamp = 1114, timestamptz = 1184, numeric = 1700, jsonb = 3802;
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

/// {"table":…,"type":…,"row":{…}} and, of columns that nobody has, their names.
class ChangeWriter {
public:
    ChangeWriter(const Relation& relation, std::string_view type, std::size_t bytes) : relation_(relation) {
        out_.reserve(bytes + 64);
        out_ += '{';
        json_.key("table");
        json_.text(relation.name);
        json_.key("type");
        json_.text(type);
        json_.key("row");
        out_ += '{';
    }
    void column(std::size_t index, const postgres::pgoutput::Column& value) {
        const auto& column = relation_.columns[index];
        if (value.kind == Kind::unchanged_toast) return unchanged_.push_back(index);
        json_.key(column.name);
        if (value.kind == Kind::null) json_.null();
        else append_value(out_, column.type, value.value);
    }
    std::string finish() && {
        out_ += '}';
        if (!unchanged_.empty()) {
            json_.key("unchanged");
            json_.array([&] {
                for (const auto index : unchanged_) {
                    json_.element();
                    json_.text(relation_.columns[index].name);
                }
            });
        }
        out_ += '}';
        return std::move(out_);
    }

private:
    const Relation& relation_;
    std::string out_;
    protocol::JsonWriter json_{out_};
    std::vector<std::size_t> unchanged_;
};

std::size_t bytes_of(const Relation& relation, const Tuple& row) {
    std::size_t bytes = relation.name.size();
    for (const auto& column : relation.columns) bytes += column.name.size() + 6;
    for (const auto& value : row) bytes += value.value.size() + 2;
    return bytes;
}

bool fits(const Relation& relation, const Tuple& row) {
    return row.size() == relation.columns.size() &&
           std::ranges::none_of(row, [](const auto& each) { return each.kind == Kind::binary; });
}

auto misfit(const Relation& relation) {
    return base::fail(base::ErrorCode::internal_error, "a row of {}.{} does not fit its description", relation.schema,
                      relation.name);
}

}  // namespace

Relation relation_of(const postgres::pgoutput::Relation& message) {
    Relation relation{.schema = std::string{message.schema}, .name = std::string{message.name}};
    for (const auto& column : message.columns) relation.columns.push_back({std::string{column.name}, column.type, column.is_key});
    return relation;
}

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
        case oid::float8: return number(is_digit(text.back()));  // not NaN, not Infinity
        case oid::timestamp: return json.text(iso_8601(text, false));
        case oid::timestamptz: return json.text(iso_8601(text, true));
        default: return json.text(text);
    }
}

base::Result<std::string> to_json(const Relation& relation, const Insert& change) {
    if (!fits(relation, change.row)) return misfit(relation);
    ChangeWriter writer{relation, "INSERT", bytes_of(relation, change.row)};
    for (std::size_t i = 0; i < change.row.size(); ++i) writer.column(i, change.row[i]);
    return std::move(writer).finish();
}

base::Result<std::string> to_json(const Relation& relation, const Update& change) {
    const bool whole_old = change.old && !change.old_is_key;
    if (!fits(relation, change.row) || (whole_old && !fits(relation, *change.old))) return misfit(relation);
    ChangeWriter writer{relation, "UPDATE", bytes_of(relation, change.row)};
    for (std::size_t i = 0; i < change.row.size(); ++i) {
        const bool from_old = change.row[i].kind == Kind::unchanged_toast && whole_old;
        writer.column(i, from_old ? (*change.old)[i] : change.row[i]);
    }
    return std::move(writer).finish();
}

base::Result<std::string> to_json(const Relation& relation, const Delete& change) {
    if (!fits(relation, change.old)) return misfit(relation);
    ChangeWriter writer{relation, "DELETE", bytes_of(relation, change.old)};
    for (std::size_t i = 0; i < change.old.size(); ++i) {
        if (!change.old_is_key || relation.columns[i].is_key) writer.column(i, change.old[i]);
    }
    return std::move(writer).finish();
}

}  // namespace connector
