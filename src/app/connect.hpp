#pragma once

#include <functional>

#include "app/config.hpp"

namespace app {

/// The connector alone, publishing to an Ably-compatible REST API, until SIGINT or SIGTERM; SIGHUP makes it read its configuration again.
/// `load` gives that, or throws; `operations`: answer /healthz, /readyz and /metrics on the configured address. Returns the process's exit
/// code; throws when it cannot start.
int connect(const std::function<Config()>& load, bool operations);

}  // namespace app
