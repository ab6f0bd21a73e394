#include "server/access.hpp"

#include <algorithm>

#include "realtime/checks.hpp"

namespace server {

using base::ErrorCode;
using base::fail;

base::Result<Access> access(const auth::Identity& identity, std::string_view name, std::initializer_list<auth::Operation> any_of) {
    auto channel = realtime::channel_of(name);
    if (!channel) return std::unexpected(channel.error());
    const auto granted = identity.capability.on(channel->full);
    if (std::ranges::none_of(any_of, [&](auth::Operation operation) { return auth::has(granted, operation); })) {
        return fail(ErrorCode::capability_denied, "Action not permitted on {} by the given capability", channel->base);
    }
    if (const auto served = realtime::check_served(*channel); !served) return std::unexpected(served.error());
    auto address = identity.app_id() + "/" + channel->base;
    return Access{*std::move(channel), std::move(address)};
}

}  // namespace server
