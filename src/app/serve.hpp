#pragma once

#include "app/config.hpp"

namespace app {

/// The pub/sub server alone, until SIGINT or SIGTERM. Returns the process's exit code; throws when it cannot start.
int serve(const Config& config);

}  // namespace app
