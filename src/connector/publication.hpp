#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "connector/config.hpp"
#include "connector/setup.hpp"

/// The fed tables as the database has them, and the publication that sends their changes.
namespace connector {

using TableName = std::pair<std::string, std::string>;  // schema, table

struct Table {
    struct Column {
        std::string name;
        std::uint32_t type = 0;  // its oid; once the types are known, of a domain the one at its bottom
    };
    std::vector<Column> columns;           // that are published: not the generated ones
    std::vector<std::string> key;          // the primary key's
    std::vector<std::string> identity;     // the replica identity's, unless that is the whole row
    bool identity_full = false, partitioned = false;
};
using Tables = std::map<TableName, Table>;

std::string quoted(const TableName& table);

/// Every fed table is there, says which row an UPDATE or DELETE meant, and has what its feeds need. The error holds the SQL that mends it.
asio::awaitable<Result<Tables>> check_tables(SessionPtr session, Config config);

/// What feeds need of their table, and of each other; `version` is the server's, as 150018. Pure.
Result<void> check_feeds(const std::vector<Feed>& feeds, const TableName& name, const Table& table, bool snapshot, int version);

/// `"public"."note" ("id", "body") WHERE (…)`, as it stands in CREATE PUBLICATION. Columns are listed where the server may leave others
/// out without refusing the application's own updates; subscribers are not sent them in any case.
std::string published(const std::vector<Feed>& feeds, const TableName& name, const Table& table, int version);

/// The publication is of exactly the fed tables. Made before the slot: a slot cannot decode with a publication younger than
/// itself. Columns and filters of somebody else's making stay, until the feeds' own change. Gives whether it had to be changed.
asio::awaitable<Result<bool>> ensure_publication(SessionPtr session, Config config, Tables tables);

}  // namespace connector
