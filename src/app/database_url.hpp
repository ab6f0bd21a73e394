#pragma once

#include "app/config.hpp"

namespace app {

/// Makes of the configured connection string what libpq takes, and warns of the parameters that it leaves out. Throws
/// std::runtime_error, which holds no part of a password, when the string is malformed or has what cannot work.
void settle_database_url(Config& config);

}  // namespace app
