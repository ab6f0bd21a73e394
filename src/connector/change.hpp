#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connector/value.hpp"
#include "postgres/pgoutput.hpp"

namespace connector {

/// A published relation, as the stream last described it: pgoutput::Relation without the views.
struct Relation {
    struct Column {
        std::string name;
        std::uint32_t type = 0;  // of a domain, the one at its bottom
        bool is_key = false;
    };
    std::string schema, name;
    std::vector<Column> columns;
    TypesPtr types = std::make_shared<const Types>();
};
Relation relation_of(const postgres::pgoutput::Relation& message, TypesPtr types);

/// A change as clients get it, the form the original connector's triggers gave it:
/// {"table":…,"type":"INSERT"|"UPDATE"|"DELETE","row":{…}}. `row` is the new row; of a DELETE the old one, or of it what the
/// replica identity has. A long text that an UPDATE did not touch comes from the old row; where that does not have it either, it
/// is missing from `row` and named in "unchanged":[…]. Error: internal_error, when the tuple does not fit the relation.
base::Result<std::string> to_json(const Relation& relation, const postgres::pgoutput::Insert& change);
base::Result<std::string> to_json(const Relation& relation, const postgres::pgoutput::Update& change);
base::Result<std::string> to_json(const Relation& relation, const postgres::pgoutput::Delete& change);

/// A TRUNCATE of the relation: {"table":…,"type":"TRUNCATE"}.
std::string truncated(const Relation& relation);

/// In place of a change whose JSON has `bytes`, more than a message may have: {"table":…,"type":…,"row":{…},"error":{"code":40009,
/// "message":…}}, where `row` has of the replica identity's columns those that are short.
std::string too_large(const Relation& relation, const postgres::pgoutput::Insert& change, std::size_t bytes);
std::string too_large(const Relation& relation, const postgres::pgoutput::Update& change, std::size_t bytes);
std::string too_large(const Relation& relation, const postgres::pgoutput::Delete& change, std::size_t bytes);

}  // namespace connector
