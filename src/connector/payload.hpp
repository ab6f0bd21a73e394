#pragma once

#include <string>

#include "connector/feeding.hpp"

/// Changes as JSON, in the forms that the original connector did not have. Grammar in docs/formats.md.
namespace connector {

/// {"table":…,"schema":…,"type":…,"new":{…},"old":{…},"changed":[…],"unchanged":[…],"committed":…,"lsn":…,"xid":…}. "old" is
/// what the replica identity has of the row before; "changed" the columns in which the two differ, when it has all of it.
std::string change_json(const Relation& relation, const postgres::pgoutput::Insert& change, const Committed& committed);
std::string change_json(const Relation& relation, const postgres::pgoutput::Update& change, const Committed& committed);
std::string change_json(const Relation& relation, const postgres::pgoutput::Delete& change, const Committed& committed);

/// A row: {column: value, …}, without columns whose long text was not touched; `unchanged` gets those. `key_only`: of the replica
/// identity's columns.
std::string row_json(const Relation& relation, const postgres::pgoutput::Tuple& row, bool key_only, std::vector<std::string>& unchanged);

}  // namespace connector
