#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "net/http.hpp"

namespace net {

/// Bytes become requests: the same ones, and the same refusal, in whatever pieces the bytes come. Holds what a request keeps and no more:
/// a header up to its bound, then a body up to its bound. Pure.
class HttpParser {
public:
    HttpParser(std::size_t header_bytes_max, std::size_t body_bytes_max);
    ~HttpParser();

    enum class State { incomplete, complete, malformed, header_too_large, body_too_large };
    /// Consumes all of `bytes`, or from their front up to the end of a request. Extensions and trailers of chunks count as a header.
    State feed(std::string_view& bytes);
    std::string_view why_malformed() const;
    bool started() const;                 // has a request begun and not ended?
    bool expects_continue() const;        // the client waits for "100 Continue" (told once)
    HttpRequest take();                   // after complete: the request; the parser is fresh again
    std::size_t held_bytes() const;       // of a request that is not complete yet

private:
    struct Impl;
    void reset();
    State take_header(std::string_view& bytes);
    State read_header(std::string_view header);
    State take_body(std::string_view& bytes);

    std::size_t header_bytes_max_, body_bytes_max_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace net
