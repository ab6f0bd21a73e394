#pragma once

#include <string>

#include "net/http.hpp"
#include "protocol/codec.hpp"

/// Answers in the form the Ably REST API has them (RSC8, RSC19): the content type is exactly application/json or
/// application/x-msgpack, since the Node SDK reads no body that says a charset.
namespace server {

/// What the client sent, by Content-Type, and what it wants, by Accept or ?format=.
protocol::Format format_sent(const net::HttpRequest& request);
protocol::Format format_wanted(const net::HttpRequest& request);
/// Is there no body, or one in a format that we read? Who does not say what it is has sent JSON.
bool is_body_readable(const net::HttpRequest& request);

net::HttpResponse respond(protocol::Format format, int status, std::string body);
/// A body written as JSON, sent in the wanted format.
net::HttpResponse respond_json(protocol::Format format, int status, const std::string& json);
net::HttpResponse respond_error(protocol::Format format, const base::Error& error);

}  // namespace server
