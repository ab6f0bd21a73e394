#pragma once

#include <string>
#include <vector>

#include "auth/token.hpp"
#include "broker/broker.hpp"
#include "protocol/channel_name.hpp"

/// What a client wants published becomes a draft: checked against what it may do, with its verified clientId, and without what only a
/// server may say. The same over a connection and over REST.
namespace realtime {

/// Messages (RSL1, RTL6), or one that updates, deletes or appends to another (RSL15). A change may say in its version's metadata that
/// it is of one version only: {"expectedVersion":"…"}. `connection_id`: of the connection they are published
/// over or for, if any.
/// Errors: those of check_ids(), capability_denied, invalid_client_id when a message claims to be another's, bad_request for ids that
/// are none and for mixtures, message_too_large, mutable_messages_disabled.
base::Result<broker::Draft> draft_messages(const auth::Identity& identity, const protocol::ChannelName& channel,
                                           std::string_view connection_id, std::vector<protocol::Message> messages);

/// Annotations of one message (RTAN1, RSAN1). Errors: as above, and those of AnnotationSummary::check().
base::Result<broker::Draft> draft_annotations(const auth::Identity& identity, const protocol::ChannelName& channel,
                                              std::vector<protocol::Annotation> annotations);

/// The operations one of which publishing messages needs; draft_messages() knows which.
inline constexpr auto publishing = {auth::Operation::publish, auth::Operation::message_update_any, auth::Operation::message_update_own,
                                    auth::Operation::message_delete_any, auth::Operation::message_delete_own};

}  // namespace realtime
