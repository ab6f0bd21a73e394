#pragma once

#include "auth/token.hpp"
#include "net/http_session.hpp"
#include "server/responses.hpp"
#include "server/version.hpp"

namespace server {

/// A request on its way through the routes, and where its answer goes.
struct Call {
    net::HttpRequest request;
    protocol::Format format;       // that the answer is wanted in
    int version = newest_version;  // of the protocol, likewise
    auth::Identity identity;       // where the route asks for credentials
    net::HttpHandler::Reply reply;  // once

    void refuse(const base::Error& error) { reply(respond_error(format, error)); }
};

}  // namespace server
