#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connector/publication.hpp"
#include "postgres/lsn.hpp"

/// The rows that were there before the slot: in which order they are read, and which of them a read that began again has. Pure.
namespace connector {

/// A place in the order of the rows: behind this key of this table, before every key when there is none.
struct RowPlace {
    std::string table;                            // schema.table; tables go by this
    std::optional<std::vector<std::string>> key;  // as Postgres writes it
    friend bool operator==(const RowPlace&, const RowPlace&) = default;
};
std::string table_id(const TableName& name);

/// The types of a table's key, in order. Keys go as SQL says in snapshot_sql(): integers by value, all else by the bytes of the text.
std::vector<std::uint32_t> key_types(const Table& table);
/// Whether a row with this key stands behind `place`; of the same table.
bool is_behind(const std::vector<std::string>& key, const RowPlace& place, const std::vector<std::uint32_t>& types);

/// The query for the rows of a table behind `place`, in order: its columns in theirs, in text.
std::string snapshot_sql(const TableName& name, const Table& table, const RowPlace& place, const std::string& where);

/// What was read in one database snapshot: the rows behind `from`, up to where the next part begins.
struct SnapshotPart {
    Lsn consistent;  // it has what was committed before
    RowPlace from;
};

/// Whether a change of a row, of a transaction that committed at `commit`, is in what was read of it already. `parts` in order.
bool is_read_already(const std::vector<SnapshotPart>& parts, const std::string& table, const std::vector<std::string>& key,
                     const std::vector<std::uint32_t>& types, Lsn commit);

std::string to_json(const std::vector<std::string>& key);
std::optional<std::vector<std::string>> key_of_json(std::string_view json);  // of what is not one: nothing

}  // namespace connector
