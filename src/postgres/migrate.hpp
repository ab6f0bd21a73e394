#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "postgres/rows.hpp"

namespace postgres {

/// One file of migrations/, `NNNN-title.sql`, embedded when we were built.
struct Migration {
    int version = 0;
    std::string_view title, sql;
};
std::span<const Migration> migrations();

/// What of our schema a database needs: `palimpsest connect` leaves nothing in a stranger's that is the chat's or the archive's.
enum class Schema : std::uint8_t { whole, connector };

/// Brings the database to our newest schema: what is not yet in palimpsest.schema_version is applied in order, each in a
/// transaction, under a lock that makes others who do the same wait. Blocks: main thread, at start. Errors: unavailable;
/// conflict, when the schema is newer than our newest; internal_error with what the server said.
Result<void> migrate(const std::string& conninfo, Schema schema = Schema::whole);

}  // namespace postgres
