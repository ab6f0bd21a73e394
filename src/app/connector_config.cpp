#include "app/connector_config.hpp"

#include <algorithm>

namespace app {
namespace {

connector::Payload payload_of(const std::string& name) {
    if (name == "message") return connector::Payload::message;
    return name == "change" ? connector::Payload::change : connector::Payload::row;
}

}  // namespace

connector::Config connector_config(const Config& config, const std::string& app_id, const std::string& conninfo) {
    connector::Config made{.conninfo = conninfo, .app_id = app_id, .slot = config.slot, .publication = config.publication,
                           .message_name = config.message_name, .confirm_after = config.retention,
                           .snapshot = config.snapshot ? connector::Snapshot::initial : connector::Snapshot::none,
                           .recreate_slot = config.recreate_slot};
    for (const auto& table : config.tables) {
        const auto has = [&](std::string_view operation) {
            return std::ranges::find(table.operations, operation) != table.operations.end();
        };
        made.feeds.push_back({.schema = table.schema, .table = table.table, .channel = table.channel,
                              .inserts = has("insert"), .updates = has("update"), .deletes = has("delete"),
                              .columns = table.columns, .where = table.where, .payload = payload_of(table.payload), .name = table.name});
    }
    return made;
}

}  // namespace app
