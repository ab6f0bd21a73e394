#include "connector/payload.hpp"

#include <chrono>

#include <fmt/chrono.h>

#include "postgres/lsn.hpp"
#include "protocol/json_writer.hpp"

namespace connector {
namespace {

using namespace postgres::pgoutput;
using Kind = postgres::pgoutput::Column::Kind;
using Names = std::vector<std::string>;

std::string iso_time(std::int64_t us) {
    const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds{us}};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (time - seconds).count());
}

class ChangeWriter {
public:
    ChangeWriter(const connector::Relation& relation, std::string_view type) : relation_(relation) {
        out_ += '{';
        text("table", relation.name);
        text("schema", relation.schema);
        text("type", type);
    }
    void row(std::string_view name, const Tuple& tuple, bool key_only, Names& unchanged) {
        json_.key(name);
        out_ += row_json(relation_, tuple, key_only, unchanged);
    }
    void names(std::string_view key, const Names& names) {
        json_.key(key);
        json_.array([&] {
            for (const auto& name : names) {
                json_.element();
                json_.text(name);
            }
        });
    }
    std::string finish(const Committed& committed) && {
        text("committed", iso_time(committed.time_us));
        text("lsn", to_string(postgres::Lsn{committed.place.commit_lsn}));
        json_.key("xid");
        out_ += std::to_string(committed.xid) + '}';
        return std::move(out_);
    }

private:
    void text(std::string_view name, std::string_view value) {
        json_.key(name);
        json_.text(value);
    }
    const connector::Relation& relation_;
    std::string out_;
    protocol::JsonWriter json_{out_};
};

}  // namespace

std::string row_json(const connector::Relation& relation, const Tuple& row, bool key_only, Names& unchanged) {
    std::string out = "{";
    protocol::JsonWriter json{out};
    for (std::size_t i = 0; i < row.size(); ++i) {
        const auto& column = relation.columns[i];
        if (key_only && !column.is_key) continue;
        if (row[i].kind == Kind::unchanged_toast) {
            unchanged.push_back(column.name);
            continue;
        }
        json.key(column.name);
        if (row[i].kind == Kind::null) json.null();
        else append_value(out, *relation.types, column.type, row[i].value);
    }
    return out + '}';
}

std::string change_json(const connector::Relation& relation, const Insert& change, const Committed& committed) {
    ChangeWriter writer{relation, "INSERT"};
    Names unchanged;
    writer.row("new", change.row, false, unchanged);
    if (!unchanged.empty()) writer.names("unchanged", unchanged);
    return std::move(writer).finish(committed);
}

std::string change_json(const connector::Relation& relation, const Update& change, const Committed& committed) {
    ChangeWriter writer{relation, "UPDATE"};
    Names unchanged, changed, none;
    writer.row("new", change.row, false, unchanged);
    if (change.old) writer.row("old", *change.old, change.old_is_key, none);
    if (change.old && !change.old_is_key) {
        for (std::size_t i = 0; i < change.row.size(); ++i) {
            if (change.row[i] != (*change.old)[i]) changed.push_back(relation.columns[i].name);
        }
        writer.names("changed", changed);
    }
    if (!unchanged.empty()) writer.names("unchanged", unchanged);
    return std::move(writer).finish(committed);
}

std::string change_json(const connector::Relation& relation, const Delete& change, const Committed& committed) {
    ChangeWriter writer{relation, "DELETE"};
    Names none;
    writer.row("old", change.old, change.old_is_key, none);
    return std::move(writer).finish(committed);
}

}  // namespace connector
