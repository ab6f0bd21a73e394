#include "connector/change.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocol/json_writer.hpp"

namespace connector {
namespace {

using namespace postgres::pgoutput;
using Kind = postgres::pgoutput::Column::Kind;

constexpr std::size_t short_value_bytes = 256, short_key_bytes = 8'192;  // what is told of a row that is too large

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
        else append_value(out_, *relation_.types, column.type, value.value);
    }
    std::string finish(std::string_view error = {}) && {
        out_ += '}';
        if (!error.empty()) {
            json_.key("error");
            json_.object([&] {
                json_.key("code");
                json_.number(std::int64_t{std::to_underlying(base::ErrorCode::message_too_large)});
                json_.key("message");
                json_.text(error);
            });
        }
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

/// The replica identity's short columns: with REPLICA IDENTITY FULL it has all of them.
std::string key_alone(const Relation& relation, std::string_view type, const Tuple& row, std::size_t bytes) {
    ChangeWriter writer{relation, type, short_value_bytes};
    std::size_t left = short_key_bytes;
    for (std::size_t i = 0; i < std::min(row.size(), relation.columns.size()); ++i) {
        const auto size = relation.columns[i].name.size() + row[i].value.size();
        if (!relation.columns[i].is_key || row[i].kind == Kind::unchanged_toast || size > std::min(short_value_bytes, left)) continue;
        left -= size;
        writer.column(i, row[i]);
    }
    return std::move(writer).finish(fmt::format("a change of {} bytes is larger than a message may be", bytes));
}

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

Relation relation_of(const postgres::pgoutput::Relation& message, TypesPtr types) {
    Relation relation{.schema = std::string{message.schema}, .name = std::string{message.name}, .columns = {}, .types = std::move(types)};
    for (const auto& column : message.columns)
        relation.columns.push_back({std::string{column.name}, relation.types->read_as(column.type), column.is_key});
    return relation;
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

std::string truncated(const Relation& relation) {
    std::string out = "{";
    protocol::JsonWriter json{out};
    json.key("table");
    json.text(relation.name);
    json.key("type");
    json.text("TRUNCATE");
    return out + '}';
}

std::string too_large(const Relation& relation, const Insert& change, std::size_t bytes) {
    return key_alone(relation, "INSERT", change.row, bytes);
}
std::string too_large(const Relation& relation, const Update& change, std::size_t bytes) {
    return key_alone(relation, "UPDATE", change.row, bytes);
}
std::string too_large(const Relation& relation, const Delete& change, std::size_t bytes) {
    return key_alone(relation, "DELETE", change.old, bytes);
}

}  // namespace connector
