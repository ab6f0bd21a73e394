#pragma once

#include "app/config.hpp"

namespace app {

/// Looks at the database and the endpoint of a configuration, and prints what is wrong with what mends it, for people or as JSON. Changes
/// nothing. Returns 1 when something has to be mended.
int doctor(const Config& config, bool json);

}  // namespace app
