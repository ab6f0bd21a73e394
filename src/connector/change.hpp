#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/pgoutput.hpp"

namespace connector {

/// A published relation, as the stream last described it: pgoutput::Relation without the views.
struct Relation {
    struct Column {
        std::string name;
        std::uint32_t type = 0;
        bool is_key = false;
    };
    std::string schema, name;
    std::vector<Column> columns;
};
Relation relation_of(const postgres::pgoutput::Relation& message);

/// A change as clients get it, the form the original connector's triggers gave it:
/// {"table":…,"type":"INSERT"|"UPDATE"|"DELETE","row":{…}}. `row` is the new row; of a DELETE the old one, or of it what the
/// replica identity has. A long text that an UPDATE did not touch comes from the old row; where that does not have it either, it
/// is missing from `row` and named in "unchanged":[…]. Error: internal_error, when the tuple does not fit the relation.
base::Result<std::string> to_json(const Relation& relation, const postgres::pgoutput::Insert& change);
base::Result<std::string> to_json(const Relation& relation, const postgres::pgoutput::Update& change);
base::Result<std::string> to_json(const Relation& relation, const postgres::pgoutput::Delete& change);

/// Appends a value in Postgres's text form as JSON: booleans, json, and the numbers that a double holds digit for digit as what
/// they are; times as ISO 8601; all else as text. `type` is the oid in pg_type.
void append_value(std::string& out, std::uint32_t type, std::string_view text);

}  // namespace connector
