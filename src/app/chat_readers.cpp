#include "app/chat_readers.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace app {

using base::ErrorCode;
using base::fail;

void ChatReaders::set(const std::vector<TableConfig>& tables) {
    auto templates = std::make_shared<Templates>();
    for (const auto& table : tables) {
        if (table.schema != "public" || table.table != "chat_data") continue;
        if (auto channel = connector::ChannelTemplate::parse(table.channel)) templates->push_back(*std::move(channel));
    }
    templates_ = std::move(templates);
}

base::Result<void> ChatReaders::may_read(const auth::Identity& identity, std::string_view room) const {
    const auto templates = templates_.load();
    if (templates->empty()) {
        return fail(ErrorCode::capability_denied, "chat_data is fed to no channel, so nobody may read it here (connector.tables)");
    }
    // Nobody names a channel so: what grants it grants all.
    const auto any = base::random_id(16);
    const auto grants = [&](const connector::ChannelTemplate& channel) {
        std::vector<std::optional<std::string_view>> values;
        for (const auto& column : channel.columns()) values.emplace_back(column == "room" ? room : std::string_view{any});
        const auto name = channel.fill(values);
        return name && auth::has(identity.capability.on(*name), auth::Operation::history);
    };
    if (identity.app_id() == app_id_ && std::ranges::any_of(*templates, grants)) return {};
    return fail(ErrorCode::capability_denied, "Reading the chat needs the capability history on the channel that its room is fed to");
}

}  // namespace app
