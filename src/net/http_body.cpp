#include "net/http_body.hpp"

#include <algorithm>

namespace net {
namespace {

constexpr std::size_t size_digits_max = 16;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// A control character in front of us may be an end of line for somebody else: then two requests are seen where one was sent.
bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

HttpBody::State HttpBody::feed(std::string_view& bytes) {
    if (!chunked_ && left_ == 0) state_ = State::complete;
    while (state_ == State::incomplete && !bytes.empty()) {
        if (part_ == Part::data) {
            take_data(bytes);
        } else {
            state_ = take_framing(bytes.front());
            bytes.remove_prefix(1);
        }
    }
    return state_;
}

void HttpBody::take_data(std::string_view& bytes) {
    const auto piece = bytes.substr(0, left_);
    bytes_ += piece;
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    if (left_ > 0) return;
    if (chunked_) part_ = Part::data_cr;
    else state_ = State::complete;
}

HttpBody::State HttpBody::step(bool expected, Part next) {
    part_ = next;
    return expected ? State::incomplete : State::malformed;
}

/// chunk := size extension? CR LF data CR LF; the last has the size 0 and no data: trailers follow, up to an empty line.
HttpBody::State HttpBody::take_framing(char c) {
    switch (part_) {
        case Part::data: break;
        case Part::data_cr: return step(c == '\r', Part::data_lf);
        case Part::data_lf: digits_ = 0; return step(c == '\n', Part::size);
        case Part::size: return take_size(c);
        case Part::extension: return take_dropped(c, Part::extension_lf);
        case Part::extension_lf: return step(c == '\n', left_ > 0 ? Part::data : Part::trailer_start);
        case Part::trailer_start:
            if (c == '\r') return step(true, Part::end_lf);
            part_ = Part::trailer;
            return take_dropped(c, Part::trailer_lf);
        case Part::trailer: return take_dropped(c, Part::trailer_lf);
        case Part::trailer_lf: return step(c == '\n', Part::trailer_start);
        case Part::end_lf: return c == '\n' ? State::complete : State::malformed;
    }
    return State::malformed;
}

HttpBody::State HttpBody::take_size(char c) {
    if (const auto digit = hex_value(c); digit >= 0) {
        if (digits_++ == size_digits_max) return State::malformed;
        left_ = left_ * 16 + static_cast<std::size_t>(digit);
        return left_ > bytes_max_ - bytes_.size() ? State::too_large : State::incomplete;
    }
    if (digits_ == 0) return State::malformed;
    if (c == '\r') return step(true, Part::extension_lf);
    return step(c == ';' || c == ' ' || c == '\t', Part::extension);
}

HttpBody::State HttpBody::take_dropped(char c, Part after_cr) {
    if (c == '\r') return step(true, after_cr);
    if (is_control(c)) return State::malformed;
    if (framing_left_ == 0) return State::framing_too_large;
    --framing_left_;
    return State::incomplete;
}

}  // namespace net
