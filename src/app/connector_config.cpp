#include "app/connector_config.hpp"

#include <algorithm>

namespace app {

connector::Config connector_config(const Config& config, const std::string& app_id, const std::string& conninfo) {
    connector::Config made{.conninfo = conninfo, .app_id = app_id, .slot = config.slot, .publication = config.publication,
                           .message_name = config.message_name, .confirm_after = config.retention};
    for (const auto& table : config.tables) {
        const auto has = [&](std::string_view operation) {
            return std::ranges::find(table.operations, operation) != table.operations.end();
        };
        made.feeds.push_back({.schema = table.schema, .table = table.table, .channel = table.channel,
                              .inserts = has("insert"), .updates = has("update"), .deletes = has("delete")});
    }
    return made;
}

}  // namespace app
