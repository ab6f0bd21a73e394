#include "connector/snapshot_plan.hpp"

#include <algorithm>
#include "base/assert.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"

namespace connector {
namespace {

using postgres::number;
using postgres::quote_identifier;
using postgres::quote_literal;

constexpr bool is_integer(std::uint32_t type) { return type == 20 || type == 21 || type == 23; }  // int8, int2, int4 in pg_type.dat
constexpr bool is_text(std::uint32_t type) { return type == 25 || type == 1043; }                 // text, varchar

/// The column as what rows are ordered by.
std::string ordered(const std::string& column, std::uint32_t type) {
    const auto name = quote_identifier(column);
    if (is_integer(type)) return name;
    return is_text(type) ? name + " COLLATE \"C\"" : "format('%s', " + name + ") COLLATE \"C\"";
}

}  // namespace

std::string table_id(const TableName& name) { return name.first + "." + name.second; }

std::vector<std::uint32_t> key_types(const Table& table) {
    std::vector<std::uint32_t> types;
    for (const auto& name : table.key) {
        const auto found = std::ranges::find(table.columns, name, &Table::Column::name);
        types.push_back(found == table.columns.end() ? 0 : found->type);
    }
    return types;
}

bool is_behind(const std::vector<std::string>& key, const RowPlace& place, const std::vector<std::uint32_t>& types) {
    if (!place.key) return true;
    for (std::size_t i = 0; i < std::min({key.size(), place.key->size(), types.size()}); ++i) {
        const auto& other = (*place.key)[i];
        if (is_integer(types[i])) {
            if (const auto mine = number(key[i]), theirs = number(other); mine != theirs) return mine > theirs;
        } else if (key[i] != other) {
            return key[i] > other;
        }
    }
    return false;
}

std::string snapshot_sql(const TableName& name, const Table& table, const RowPlace& place, const std::string& where) {
    PAL_ASSERT(!table.key.empty());
    std::string columns, order, behind;
    for (const auto& column : table.columns) columns += (columns.empty() ? "" : ", ") + quote_identifier(column.name);
    const auto types = key_types(table);
    for (std::size_t i = 0; i < types.size(); ++i) {
        order += (i == 0 ? "" : ", ") + ordered(table.key[i], types[i]);
        if (!place.key || place.table != table_id(name) || i >= place.key->size()) continue;
        const auto& value = (*place.key)[i];
        behind += (i == 0 ? "" : ", ") + (is_integer(types[i]) ? std::to_string(number(value)) + "::bigint" : quote_literal(value));
    }
    auto sql = "SELECT " + columns + " FROM " + (table.partitioned ? "" : "ONLY ") + quoted(name);
    std::string conditions = where.empty() ? "" : "(" + where + ")";
    if (!behind.empty()) conditions += (conditions.empty() ? "(" : " AND (") + order + ") > (" + behind + ")";
    if (!conditions.empty()) sql += " WHERE " + conditions;
    return sql + " ORDER BY " + order;
}

bool is_read_already(const std::vector<SnapshotPart>& parts, const std::string& table, const std::vector<std::string>& key,
                     const std::vector<std::uint32_t>& types, Lsn commit) {
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        const bool has_it = table == part->from.table ? is_behind(key, part->from, types) : table > part->from.table;
        if (has_it) return commit < part->consistent;
    }
    return false;
}

std::string to_json(const std::vector<std::string>& key) {
    std::string out;
    protocol::JsonWriter json{out};
    json.array([&] {
        for (const auto& part : key) {
            json.element();
            json.text(part);
        }
    });
    return out;
}

std::optional<std::vector<std::string>> key_of_json(std::string_view text) {
    std::vector<std::string> key;
    protocol::JsonReader in{text};
    if (!in.array([&] { return in.text(key.emplace_back()); })) return std::nullopt;
    return key;
}

}  // namespace connector
