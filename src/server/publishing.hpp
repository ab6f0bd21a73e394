#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "net/http.hpp"
#include "realtime/hub.hpp"
#include "server/access.hpp"

/// What one publish over REST and a batch of them have in common (RSL1, RSC22).
namespace server {

/// Whom messages are from: who sent them or, when they show its key, a live connection (TM2h).
struct Publisher {
    auth::Identity identity;
    std::string connection_id;
};

/// The one connectionKey that messages show; empty when none does. Error: bad_request when they differ.
base::Result<std::string> connection_key_of(std::span<const protocol::Message> messages);

/// `done` may be called before this returns. Errors: invalid_connection_id for a key that is not ours, not of the sender's app, or
/// whose connection is gone; invalid_client_id when the sender may not be the connection's client.
void find_publisher(realtime::Hub& hub, auth::Identity sender, const std::string& connection_key,
                    std::move_only_function<void(base::Result<Publisher>)> done);

/// A publish over REST. Errors: those of realtime::draft_messages.
base::Result<broker::Draft> draft_of(const Publisher& publisher, const Access& channel, std::vector<protocol::Message> messages);

/// The params that a request to publish may have. Errors: those of realtime::check_force_nack.
base::Result<void> check_publish_params(const net::HttpRequest& request);

/// Publishes it, counts it, and tells `done` the messages' serials.
void publish(realtime::Hub& hub, const Publisher& publisher, const Access& channel, broker::Draft draft,
             realtime::PublishDone done);

/// What the ids of the draft's messages begin with (BPR2b).
std::string message_id_of(const broker::Draft& draft);

}  // namespace server
