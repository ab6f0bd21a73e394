#pragma once

#include "app/config.hpp"

namespace app {

/// Everything on one machine, until SIGINT or SIGTERM: Postgres (a private one, unless the configuration names a database), the
/// pub/sub server, the function and the connector. Returns the process's exit code; throws when it cannot start.
int up(const Config& config);

}  // namespace app
