#pragma once

#include "base/result.hpp"

/// Ably's error codes, with the HTTP status each is answered with: the one table. Names are Ably's own identifiers where
/// it has one (ably/ably-common, protocol/errors.json).
#define PALIMPSEST_ERROR_CODES(X)          \
    X(bad_request, 40000, 400)             \
    X(invalid_body, 40001, 400)            \
    X(invalid_parameter_name, 40002, 400)  \
    X(invalid_parameter_value, 40003, 400) \
    X(invalid_header, 40004, 400)          \
    X(invalid_connection_id, 40006, 400)   \
    X(message_too_large, 40009, 400)       \
    X(invalid_channel_name, 40010, 400)    \
    X(invalid_client_id, 40012, 400)       \
    X(invalid_message_data, 40013, 400)    \
    X(unsupported_protocol_version, 40017, 400) \
    X(batch_error, 40020, 400)             \
    X(feature_not_available, 40021, 400)   \
    X(invalid_publish, 40031, 400)         \
    X(artificial_error, 40099, 400)        \
    X(conflict, 40900, 409)                \
    X(unauthorized, 40100, 401)            \
    X(invalid_credentials, 40101, 401)     \
    X(incompatible_credentials, 40102, 401) \
    X(timestamp_not_current, 40104, 401)   \
    X(nonce_replayed, 40105, 401)          \
    X(account_connection_limit_exceeded, 40111, 403) \
    X(not_found, 40400, 404)               \
    X(token_revoked, 40141, 401)           \
    X(token_expired, 40142, 401)           \
    X(token_unrecognised, 40143, 401)      \
    X(invalid_jwt, 40144, 401)             \
    X(capability_denied, 40160, 401)       \
    X(identified_client_needed, 40161, 401) \
    X(operation_requires_basic_authentication, 40162, 401) \
    X(token_revocation_not_enabled_for_api_key, 40164, 401) \
    X(forbidden, 40300, 403)               \
    X(method_not_allowed, 40500, 405)      \
    X(request_timeout, 40800, 408)         \
    X(payload_too_large, 41300, 413)       \
    X(unsupported_media_type, 41500, 415)  \
    X(rate_limit_exceeded, 42910, 429)     \
    X(connection_rate_limit_exceeded, 42911, 429) \
    X(internal_error, 50000, 500)          \
    X(unavailable, 50300, 503)             \
    X(timeout, 50003, 500)                 \
    X(connection_failed, 80000, 400)       \
    X(connection_suspended, 80002, 400)    \
    X(disconnected, 80003, 400)            \
    X(connection_closed, 80017, 400)       \
    X(unable_to_recover_connection_expired, 80008, 400) \
    X(invalid_connection_key, 80018, 400)  \
    X(channel_messages_expired, 90003, 400) \
    X(channel_message_limit_exceeded, 90004, 400) \
    X(unable_to_recover_channel, 90005, 400) \
    X(channel_operation_failed, 90000, 400) \
    X(invalid_channel_state, 90001, 400)   \
    X(channel_limit_exceeded, 90010, 400)  \
    X(presence_no_client_id, 91000, 400)   \
    X(presence_member_limit, 91003, 400)   \
    X(mutable_messages_disabled, 93002, 400)

enum class base::ErrorCode : int {
#define X(name, code, status) name = code,
    PALIMPSEST_ERROR_CODES(X)
#undef X
};

namespace protocol {

using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;

/// The HTTP status a code is answered with; 500 for a number that is not in the table.
int http_status(ErrorCode code);
inline int http_status(const Error& error) { return error.status != 0 ? error.status : http_status(error.code); }

}  // namespace protocol
