#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace net {

/// The body of a request, by its length or in chunks (RFC 9112 §6, §7.1). It keeps nothing but the body: what is written around chunks
/// (sizes, extensions, trailers) is looked at byte by byte and dropped, so that nobody can pile it up and no trailer becomes a header.
class HttpBody {
public:
    enum class State : std::uint8_t { incomplete, complete, malformed, framing_too_large, too_large };

    static HttpBody of_length(std::size_t bytes) { return HttpBody{State::incomplete, bytes, bytes, 0}; }
    /// `framing_bytes_max`: of all extensions and trailers together.
    static HttpBody in_chunks(std::size_t bytes_max, std::size_t framing_bytes_max) {
        return HttpBody{State::incomplete, 0, bytes_max, framing_bytes_max, Part::size};
    }

    /// Consumes from the front of `bytes` up to the end of the body.
    State feed(std::string_view& bytes);
    std::string take() { return std::move(bytes_); }
    std::size_t size() const { return bytes_.size(); }

private:
    enum class Part : std::uint8_t { data, data_cr, data_lf, size, extension, extension_lf, trailer_start, trailer, trailer_lf, end_lf };

    HttpBody(State state, std::size_t left, std::size_t bytes_max, std::size_t framing_bytes_max, Part part = Part::data)
        : state_(state), part_(part), chunked_(part == Part::size), left_(left), bytes_max_(bytes_max), framing_left_(framing_bytes_max) {}

    void take_data(std::string_view& bytes);
    State take_framing(char c);
    State take_size(char c);
    State take_dropped(char c, Part after_cr);
    State step(bool expected, Part next);

    State state_;
    Part part_;
    bool chunked_;
    std::size_t left_;  // of the chunk, or of all of it
    std::size_t bytes_max_, framing_left_;
    std::size_t digits_ = 0;  // of the chunk's size, so far
    std::string bytes_;
};

}  // namespace net
