#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/token.hpp"
#include "base/limits.hpp"
#include "protocol/channel_name.hpp"
#include "protocol/message.hpp"
#include "realtime/selection.hpp"

/// The checks that what comes over a connection and what comes over REST have in common.
namespace realtime {

/// The channel that a name means: `base` is what it is known by, which is with a qualifier another channel than without
/// ("[meta]log"), but for params and filters ("room" for "[?rewind=1]room"). What one may do there goes by the full name.
/// Error: invalid_channel_name.
base::Result<protocol::ChannelName> channel_of(std::string_view name);
/// Error: invalid_channel_name, for the qualifiers that we do not serve ([meta]), and for [filter=…], which can only be attached
/// to. Ask after the capability: who may not know of a channel is not told whether there could be one.
base::Result<void> check_served(const protocol::ChannelName& channel);
/// check_served() for an attach, which may be through a filter: null when it is not. Error: invalid_channel_name.
base::Result<FilterPtr> filter_of(const protocol::ChannelName& channel);

/// The ids that a publish brings: none, or one for each message. Several are `base:0`, `base:1` and so on (RSL1k2), so that they
/// are published together or not at all. `connectionId:msgSerial:index` is what a server gives what is published over a connection:
/// it is the publisher's own, or refused, lest somebody takes the id of what another is about to publish. Error: invalid_publish.
base::Result<void> check_ids(const std::vector<protocol::Message>& messages, std::string_view connection_id);

/// A publish's param by which SDKs' suites have it refused. Error: artificial_error, when its value is "true".
inline constexpr std::string_view force_nack_param = "_forceNack";
base::Result<void> check_force_nack(std::string_view value);

/// How long the ids are that servers give connections.
inline constexpr std::size_t connection_id_length = 10;

/// Without control characters: what ids and clientIds are, which end up in databases and logs.
bool is_name(std::string_view text);

/// May a client with these credentials go on with a connection that `owner` opened: resume it (RTN15c5), or be its HTTP requests? It
/// shows a connectionKey too, but a key that leaked is nobody's proof. The same app, API key and clientId are needed; who may act
/// as any client, or has the API key itself, names the clientId. Error: incompatible_credentials.
base::Result<void> check_same_client(const auth::Identity& shown, const auth::Identity& owner);
/// The same for one of its HTTP requests: SDKs name a clientId only when they connect, so credentials that may act as the connection's
/// client count as that client's.
base::Result<void> check_drives(const auth::Identity& shown, const auth::Identity& owner);

/// What a client calls a message or member of its own. Error: bad_request.
base::Result<void> check_id(std::string_view id);

/// The sum over a publish (TM6, CD2c). Error: message_too_large.
base::Result<void> check_size(std::size_t bytes, const auth::AppLimits& limits);
template <class T>
base::Result<void> check_sizes(const std::vector<T>& all, const auth::AppLimits& limits) {
    std::size_t bytes = 0;
    for (const auto& each : all) bytes += size_of(each);
    return check_size(bytes, limits);
}

/// What is published together goes out together, in a frame that no client refuses (CD2d). Error: message_too_large.
base::Result<void> check_frame(const protocol::ProtocolMessage& message);

}  // namespace realtime
