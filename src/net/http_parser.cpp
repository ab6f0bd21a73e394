#include "net/http_parser.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "net/http_body.hpp"
#include "net/http_fields.hpp"

namespace net {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

using Head = http::request<http::empty_body>;
constexpr std::string_view no_http = "Not a proper HTTP request";

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// RFC 9110 §5.6.2: what a method is made of. So that whoever speaks another protocol is told at once.
bool is_token_char(char c) {
    const bool letter_or_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter_or_digit || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

std::multimap<std::string, std::string> parse_query(std::string_view text) {
    std::multimap<std::string, std::string> query;
    while (!text.empty()) {
        const auto pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(pair.size() + 1, text.size()));
        const auto equals = std::min(pair.find('='), pair.size());
        const auto name = percent_decode(pair.substr(0, equals), true);
        const auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
        if (name && value && !name->empty()) query.emplace(*name, *value);
    }
    return query;
}

void read_fields(const Head& head, HttpRequest& request) {
    for (const auto& field : head) {
        auto& value = request.headers[lower_case(view(field.name_string()))];
        // One that comes twice is a list (RFC 9110 §5.3), but cookies are never divided by a comma (RFC 6265 §5.4).
        if (!value.empty()) value += field.name() == http::field::cookie ? "; " : ", ";
        value += view(field.value());
    }
}

/// RFC 9112 §3.2.2: "http://host:port" in front of the path. Takes it off `target`; nothing when there is none. A path is never empty.
std::optional<std::string_view> take_authority(std::string_view& target) {
    for (const std::string_view scheme : {"http://", "https://", "ws://", "wss://"}) {
        if (!equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        target.remove_prefix(scheme.size());
        const auto authority = target.substr(0, target.find_first_of("/?#"));
        target.remove_prefix(authority.size());
        return authority;
    }
    return std::nullopt;
}

/// What is wrong with it; empty: nothing.
std::string_view read_target(std::string_view target, HttpRequest& request) {
    if (const auto authority = take_authority(target)) {
        if (authority->empty() || authority->find('@') != authority->npos) return "The request's target names no host";
        request.headers.insert_or_assign("host", std::string{*authority});
        if (!target.starts_with('/')) request.path = "/";
    } else if (!target.starts_with('/') && !(target == "*" && request.method == "OPTIONS")) {
        return "The request's target is neither a path nor a URL";
    }
    const auto question = std::min(target.find('?'), target.size());
    request.path += target.substr(0, question);
    request.query = parse_query(target.substr(std::min(question + 1, target.size())));
    for (std::string_view rest{request.path}; rest.starts_with('/');) {
        rest.remove_prefix(1);
        const auto segment = rest.substr(0, rest.find('/'));
        rest.remove_prefix(segment.size());
        auto decoded = percent_decode(segment, false);
        if (!decoded) return "The path is not properly percent-encoded";
        request.segments.push_back(*std::move(decoded));
    }
    if (request.path.ends_with('/')) request.segments.pop_back();  // with and without a slash at its end it is the same
    return {};
}

/// RFC 9112 §3.2, §6.1: what makes a request that somebody in front of us may understand in another way.
std::string_view ambiguity(const Head& head, const HttpRequest& request) {
    const auto hosts = head.count(http::field::host);
    if (hosts > 1) return "A request has one Host";
    if (request.chunks && request.headers.find("host") == request.headers.end()) return "A request of HTTP/1.1 has a Host";
    if (head.count(http::field::transfer_encoding) == 0) return {};
    if (!request.chunks) return "HTTP/1.0 has no Transfer-Encoding";
    if (!equals_ignoring_case(request.header("transfer-encoding"), "chunked")) return "The only Transfer-Encoding is chunked";
    return {};
}

}  // namespace

struct HttpParser::Impl {
    std::string header;  // as far as it has come
    HttpRequest request;
    std::optional<HttpBody> body;  // once the header is complete
    std::string_view why = no_http;
    bool started = false, told_to_continue = false;
};

HttpParser::HttpParser(std::size_t header_bytes_max, std::size_t body_bytes_max)
    : header_bytes_max_(header_bytes_max), body_bytes_max_(body_bytes_max) {
    reset();
}

HttpParser::~HttpParser() = default;

void HttpParser::reset() { impl_ = std::make_unique<Impl>(); }

std::string_view HttpParser::why_malformed() const { return impl_->why; }

bool HttpParser::started() const { return impl_->started; }

std::size_t HttpParser::held_bytes() const { return impl_->header.size() + (impl_->body ? impl_->body->size() : 0); }

bool HttpParser::expects_continue() const {
    if (!impl_->body || !impl_->request.chunks || impl_->told_to_continue) return false;
    impl_->told_to_continue = true;
    return has_token(impl_->request.header("expect"), "100-continue");
}

HttpParser::State HttpParser::feed(std::string_view& bytes) {
    if (!impl_->body) {
        const auto state = take_header(bytes);
        if (state != State::complete) return state;
    }
    return take_body(bytes);
}

HttpParser::State HttpParser::take_header(std::string_view& bytes) {
    constexpr std::string_view end = "\r\n\r\n";
    if (bytes.empty()) return State::incomplete;
    auto& held = impl_->header;
    impl_->started = true;
    if (held.empty() && !is_token_char(bytes.front())) return State::malformed;
    const auto room = header_bytes_max_ - held.size();
    if (held.empty()) {  // most come whole
        const auto whole = bytes.substr(0, room);
        if (const auto at = whole.find(end); at != whole.npos) {
            bytes.remove_prefix(at + end.size());
            return read_header(whole.substr(0, at + end.size()));
        }
    }
    const auto from = held.size() - std::min(held.size(), end.size() - 1), before = held.size();
    held += bytes.substr(0, room);
    const auto at = held.find(end, from);
    if (at == held.npos) {
        bytes.remove_prefix(held.size() - before);
        return held.size() == header_bytes_max_ ? State::header_too_large : State::incomplete;
    }
    held.resize(at + end.size());
    bytes.remove_prefix(held.size() - before);
    return read_header(std::exchange(held, {}));
}

HttpParser::State HttpParser::read_header(std::string_view header) {
    http::request_parser<http::empty_body> parser;
    parser.eager(false);  // so that a header is taken apart from a body
    parser.header_limit(static_cast<std::uint32_t>(2 * header_bytes_max_));  // the bounds are ours
    parser.body_limit(boost::none);
    beast::error_code error;
    const auto used = parser.put(boost::asio::buffer(header), error);
    if (error || used != header.size() || !parser.is_header_done()) return State::malformed;
    const auto& head = parser.get();
    auto& request = impl_->request;
    request.method = std::string{head.method_string()};
    request.keep_alive = head.keep_alive();
    request.chunks = head.version() >= 11;
    read_fields(head, request);
    auto why = read_target(view(head.target()), request);
    if (why.empty()) why = ambiguity(head, request);
    if (!why.empty()) {
        impl_->why = why;
        return State::malformed;
    }
    const auto length = parser.content_length().value_or(0);
    if (length > body_bytes_max_) return State::body_too_large;
    impl_->body = parser.chunked() ? HttpBody::in_chunks(body_bytes_max_, header_bytes_max_) : HttpBody::of_length(length);
    return State::complete;
}

HttpParser::State HttpParser::take_body(std::string_view& bytes) {
    switch (impl_->body->feed(bytes)) {
        case HttpBody::State::incomplete: return State::incomplete;
        case HttpBody::State::complete: return State::complete;
        case HttpBody::State::framing_too_large: return State::header_too_large;
        case HttpBody::State::too_large: return State::body_too_large;
        case HttpBody::State::malformed: break;
    }
    impl_->why = "The body's chunks are not as they should be";
    return State::malformed;
}

HttpRequest HttpParser::take() {
    auto request = std::move(impl_->request);
    request.body = impl_->body->take();
    reset();
    return request;
}

}  // namespace net
