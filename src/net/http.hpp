#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/address.hpp"

namespace net {

class HttpStream;

/// An HTTP/1.1 request, whole.
struct HttpRequest {
    std::string method;
    std::string path;                           // percent-encoded as it came, without the query: for links, never for a decision
    std::vector<std::string> segments;          // of the path, decoded once, for all who look at it: "/x/a%2Fb/" has "x" and "a/b"
    std::multimap<std::string, std::string> query;  // decoded
    std::map<std::string, std::string> headers;     // names in lower case; host is the target's where that names one
    std::string body;
    Address peer;  // unknown when nobody counts connections
    bool keep_alive = true;
    bool chunks = true;  // may the answer's body be chunked? Not in HTTP/1.0

    std::string_view header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string_view{} : std::string_view{found->second};
    }
    std::optional<std::string> param(const std::string& name) const {
        const auto found = query.find(name);
        return found == query.end() ? std::nullopt : std::optional{found->second};
    }
    bool asks_for_websocket() const;
};

struct HttpResponse {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;  // Content-Length is added
    std::string body;
    std::shared_ptr<const std::string> shared_body;  // instead of `body`: a file that many are sent
    std::shared_ptr<HttpStream> stream;              // … or what comes in its own time
};

/// nothing when it is not properly percent-encoded; '+' is a space in a query only.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
std::string percent_encode(std::string_view text);

/// How a client knows where a body ends.
enum class Framing : std::uint8_t { length, chunked, close };
/// Status line and headers.
std::string serialize_head(const HttpResponse& response, bool keep_alive, Framing framing);
/// … and, unless the request was a HEAD, the body (but for a shared one).
std::string serialize(const HttpResponse& response, bool keep_alive, bool head);
/// RFC 9112 §7.1. An empty one is the last.
std::string http_chunk(std::string_view piece);

}  // namespace net
