#pragma once

#include "net/http.hpp"
#include "realtime/hub.hpp"

/// What a request says about who it comes from.
namespace server {

/// Does it say who it is from? What it says may be wrong.
bool has_credentials(const net::HttpRequest& request);

/// Basic or Bearer, in the Authorization header or as `key` / `access_token` in the query; a clientId beside a key (RSA7, RSC7).
/// Errors: those of auth::check_key and check_token; unauthorized when there are no credentials; incompatible_credentials for a
/// clientId that a token does not allow.
base::Result<auth::Identity> identify(const net::HttpRequest& request, const auth::Apps& apps, base::Time now);

/// The connection that a WebSocket request asks for (RTN2). Errors: as identify(), and for a protocol version we do not speak.
base::Result<realtime::Hub::ConnectRequest> connect_request(const net::HttpRequest& request, const auth::Apps& apps, base::Time now);

}  // namespace server
