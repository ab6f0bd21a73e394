#pragma once

#include <string>

#include "app/config.hpp"
#include "connector/config.hpp"

namespace app {

/// What the configuration says of the connector, whoever it publishes to.
connector::Config connector_config(const Config& config, const std::string& app_id, const std::string& conninfo);

}  // namespace app
