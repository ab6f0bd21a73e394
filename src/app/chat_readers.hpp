#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "app/config.hpp"
#include "auth/token.hpp"
#include "connector/channel_template.hpp"

namespace app {

/// Who may read the chat's rows over /api: those who may read the history of a channel that public.chat_data is fed to. Shared,
/// synchronised: the feeds change when the configuration is read again.
class ChatReaders {
public:
    ChatReaders(std::string app_id, const std::vector<TableConfig>& tables) : app_id_(std::move(app_id)) { set(tables); }

    void set(const std::vector<TableConfig>& tables);

    /// A channel that is named by columns besides `room` is one that only a capability for all of their values grants.
    /// Error: capability_denied.
    base::Result<void> may_read(const auth::Identity& identity, std::string_view room) const;

private:
    using Templates = std::vector<connector::ChannelTemplate>;

    std::string app_id_;
    std::atomic<std::shared_ptr<const Templates>> templates_;  // of the channels
};

}  // namespace app
