#pragma once

#include <string>

#include "postgres/migrate.hpp"

namespace app {

/// Brings the schema up to date, for as long as it takes the database to be there. False when we were told to stop. Main thread, with
/// the stop signals blocked. Throws std::runtime_error when the schema is newer than we are.
bool migrate_patiently(const std::string& conninfo, postgres::Schema schema = postgres::Schema::whole);

}  // namespace app
