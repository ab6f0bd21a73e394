#pragma once

#include <memory>
#include <set>

#include "connector/feed_checks.hpp"
#include "connector/setup.hpp"

/// The fed tables as the database has them, and the publication that sends their changes.
namespace connector {

/// The fed tables that are there, and why some, or others, cannot be fed. Takes no lock of a table.
struct CheckedTables {
    Tables tables;
    Refusals refusals;
};
asio::awaitable<Result<CheckedTables>> check_tables(SessionPtr session, Config config);

/// The publication as it is, and what is kept of it. `fed` is by schema.table: the relation and its membership, as mark_of() writes them,
/// when all before was sent.
struct Publication {
    bool exists = false, all_operations = false, all_tables = false, of_schemas = false;
    std::set<std::uint32_t> members;  // by oid
    std::string left;                 // as we left it; empty: nothing is kept
    std::map<std::string, std::string> fed;
};
asio::awaitable<Result<Publication>> find_publication(SessionPtr session, Config config);

/// The statements that make the publication one of exactly the fed tables; empty when it is. Columns and filters of somebody else's
/// making stay, until the feeds' own change, or where they make the application's writes fail. Pure.
std::string change_of(const Publication& found, const Config& config, const Tables& tables, int version);

/// The tables that were fed, and are another relation since, or were out of the publication for a while: changes of theirs were not sent.
std::set<TableName> interrupted(const Publication& found, const Tables& tables);
std::string mark_of(const Table& table);

/// Makes the publication right. Before the slot: a slot cannot decode with a publication younger than itself. A change that does
/// not come to what is wanted is undone, and written down in `futile`: it is not tried again.
struct Ensured {
    bool changed = false;
    Tables tables;                    // with their memberships as they are now
    std::set<TableName> interrupted;
};
asio::awaitable<Result<Ensured>> ensure_publication(SessionPtr session, Config config, Tables tables, std::shared_ptr<std::string> futile);

/// For tables that are refused: those whose publication makes the application's writes fail are taken out of it, and of those that
/// were fed it is kept that changes may be missing.
asio::awaitable<Result<void>> withdraw(SessionPtr session, Config config, CheckedTables checked);

/// Of those that were fed, changes may be missing from here on.
asio::awaitable<Result<void>> mark_interrupted(SessionPtr session, std::string slot, std::set<TableName> names);

/// From here on all changes of the tables are sent.
asio::awaitable<Result<void>> store_fed(SessionPtr session, Config config, Tables tables);

}  // namespace connector
