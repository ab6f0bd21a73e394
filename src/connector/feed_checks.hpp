#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/error_codes.hpp"
#include "connector/config.hpp"

/// What feeds need of their tables, and what a publication of them would do to the application's own writes. Pure. The rules and their
/// reasons are in docs/decisions/0016-identity-is-each-relations-own.md.
namespace connector {

inline constexpr std::size_t refusals_told_max = 20;  // by the reason of being down; the doctor names all

using TableName = std::pair<std::string, std::string>;  // schema, table
std::string quoted(const TableName& table);

/// How Postgres tells which row an UPDATE or DELETE meant: by the whole row, or by the columns of an index that it uses for that (valid,
/// unique, not partial, not deferrable). Neither: once the relation is published, its UPDATE and DELETE fail.
struct Identity {
    bool full = false;
    std::vector<std::string> columns;
    bool key_is_deferrable = false;  // there is a primary key, and it does not count
    bool exists() const { return full || !columns.empty(); }
};

struct Table {
    struct Column {
        std::string name;
        std::uint32_t type = 0;  // its oid; once the types are known, of a domain the one at its bottom
    };
    /// Its changes are sent as the table's, and told apart by its own identity.
    struct Partition {
        TableName name;
        char kind = 'r', persistence = 'p';  // pg_class.relkind, relpersistence
        Identity identity;
    };
    std::vector<Column> columns;           // that are published: not the generated ones
    std::vector<std::string> key;          // the primary key's
    std::vector<std::string> identity;     // the replica identity's, unless that is the whole row
    bool identity_full = false, partitioned = false;
    bool key_is_deferrable = false, unlogged = false;
    std::vector<Partition> partitions;     // at any depth
    std::vector<std::string> children;     // by INHERITS, quoted: they are not published
    std::uint32_t oid = 0, member = 0;     // pg_class's, and of its row in pg_publication_rel; 0: it is not in the publication
    std::optional<std::vector<std::string>> listed;  // the publication's column list
    std::vector<std::string> filtered_by;            // the columns that the publication's row filter looks at

    Identity own_identity() const { return {identity_full, identity, key_is_deferrable}; }
};
using Tables = std::map<TableName, Table>;

/// Why a table cannot be fed as it is.
struct Refusal {
    TableName table;  // the fed one
    std::string says, sql;
    bool breaks_writes = false;  // of the application: the table must not stay in the publication
    base::ErrorCode code = base::ErrorCode::conflict;
    std::string text() const { return sql.empty() ? says : says + ". Run: " + sql; }
};
using Refusals = std::vector<Refusal>;

/// What feeds need of their table, and of each other: one refusal for each relation. `version` is the server's, as 150018.
Refusals refusals_of(const std::vector<Feed>& feeds, const TableName& name, const Table& table, bool snapshot, int version);
/// What else of the tables can only be seen together: a fed partition of a fed table is sent as that table's.
Refusals refusals_among(const Tables& tables);
/// One error of all; of more than refusals_told_max the number.
base::Error to_error(const Refusals& refusals);

/// The publication's column list or row filter, as they are now, make UPDATE or DELETE of the table or of a partition fail.
bool publication_breaks_writes(const Table& table);

/// `"public"."note" ("id", "body") WHERE (…)`, as it stands in CREATE PUBLICATION. Columns are listed where the server may leave others
/// out without refusing the application's own updates; subscribers are not sent them in any case.
std::string published(const std::vector<Feed>& feeds, const TableName& name, const Table& table, int version);

std::map<TableName, std::vector<Feed>> feeds_by_table(const Config& config);

}  // namespace connector
