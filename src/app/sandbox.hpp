#pragma once

#include "app/config.hpp"

namespace app {

/// A pub/sub server for the test suites of SDKs, until SIGINT or SIGTERM: apps are made by POST /apps and end with DELETE /apps/{appId}
/// or with the process, which keeps nothing. Returns the process's exit code; throws when it cannot start.
int sandbox(const Config& config);

}  // namespace app
