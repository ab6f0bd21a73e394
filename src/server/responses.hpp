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
/// Inflates a gzipped body. Who does not say what a body is has sent JSON. Errors: unsupported_media_type for what we do not read,
/// payload_too_large for more than http_body_bytes_max, invalid_body for what is no gzip.
base::Result<void> make_body_readable(net::HttpRequest& request);

net::HttpResponse respond(protocol::Format format, int status, std::string body);
/// A body written as JSON, sent in the wanted format.
net::HttpResponse respond_json(protocol::Format format, int status, const std::string& json);
net::HttpResponse respond_error(protocol::Format format, const base::Error& error);

bool accepts_gzip(const net::HttpRequest& request);
/// Compresses what is worth it and can be, if that is accepted: no stream, nothing small, nothing so large that others would wait for
/// it, and nothing with an entity tag, which would be that of other bytes.
void compress(net::HttpResponse& response, bool accepted);

}  // namespace server
