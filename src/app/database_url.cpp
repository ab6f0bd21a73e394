#include "app/database_url.hpp"

#include <stdexcept>

#include "base/log.hpp"
#include "postgres/conninfo.hpp"

namespace app {

void settle_database_url(Config& config) {
    if (config.database_url.empty()) return;
    auto parsed = postgres::parse_conninfo(config.database_url);
    if (!parsed) throw std::runtime_error("the database's " + parsed.error().message);
    for (const auto& each : parsed->ignored) base::log::warn("at=database_url_parameter_ignored parameter=\"{}\"", each);
    config.database_url = std::move(parsed->text);
}

}  // namespace app
