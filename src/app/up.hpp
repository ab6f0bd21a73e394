#pragma once

#include <functional>

#include "app/config.hpp"

namespace app {

/// Everything on one machine, until SIGINT or SIGTERM: Postgres (a private one, unless the configuration names a database), the
/// pub/sub server, the function and the connector. At SIGHUP `load` is called again, and the tables it gives are fed from then on.
/// Returns the process's exit code; throws when it cannot start.
int up(const std::function<Config()>& load);

}  // namespace app
