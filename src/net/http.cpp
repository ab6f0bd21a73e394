#include "net/http.hpp"

#include <algorithm>
#include <charconv>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

namespace net {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

bool contains_token(std::string_view list, std::string_view token) {
    std::string lower{list};
    std::ranges::transform(lower, lower.begin(), [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    for (std::size_t at = 0; at <= lower.size();) {
        const auto comma = std::min(lower.find(',', at), lower.size());
        std::string_view each{lower.data() + at, comma - at};
        while (each.starts_with(' ')) each.remove_prefix(1);
        while (each.ends_with(' ')) each.remove_suffix(1);
        if (each == token) return true;
        at = comma + 1;
    }
    return false;
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

}  // namespace

bool HttpRequest::asks_for_websocket() const {
    return contains_token(header("connection"), "upgrade") && contains_token(header("upgrade"), "websocket");
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            decoded += ' ';
        } else if (text[i] == '%') {
            unsigned value = 0;
            if (i + 2 >= text.size()) return std::nullopt;
            const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
            if (error != std::errc{} || end != text.data() + i + 3) return std::nullopt;
            decoded += static_cast<char>(value);
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

std::string percent_encode(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) || std::string_view{"-_.~"}.find(c) != std::string_view::npos) encoded += c;
        else encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return encoded;
}

std::string serialize_head(const HttpResponse& response, bool keep_alive, Framing framing) {
    const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
    auto text = fmt::format("HTTP/1.1 {} {}\r\n", response.status, std::string_view{reason.data(), reason.size()});
    for (const auto& [name, value] : response.headers) text += fmt::format("{}: {}\r\n", name, value);
    const auto size = response.shared_body ? response.shared_body->size() : response.body.size();
    const bool has_body = response.status != 204 && response.status != 304 && response.status >= 200;
    if (has_body && framing == Framing::length) text += fmt::format("Content-Length: {}\r\n", size);
    if (framing == Framing::chunked) text += "Transfer-Encoding: chunked\r\n";
    if (response.status >= 200) text += keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
    text += "\r\n";
    return text;
}

std::string serialize(const HttpResponse& response, bool keep_alive, bool head) {
    auto text = serialize_head(response, keep_alive, Framing::length);
    if (!head) text += response.body;
    return text;
}

std::string http_chunk(std::string_view piece) { return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece); }

struct HttpParser::Impl {
    http::request_parser<http::string_body> parser;
    std::size_t header_bytes = 0;  // taken so far
    bool started = false;
    bool told_to_continue = false;
};

HttpParser::HttpParser(std::size_t header_bytes_max, std::size_t body_bytes_max)
    : header_bytes_max_(header_bytes_max), body_bytes_max_(body_bytes_max) {
    reset();
}

HttpParser::~HttpParser() = default;

void HttpParser::reset() {
    impl_ = std::make_unique<Impl>();
    // Beast's own limit depends on the pieces in which a header comes: ours comes first.
    impl_->parser.header_limit(static_cast<std::uint32_t>(2 * header_bytes_max_));
    impl_->parser.body_limit(body_bytes_max_);
    impl_->parser.eager(false);  // so that a header is taken apart from a body
}

bool HttpParser::started() const { return impl_->started; }

bool HttpParser::expects_continue() const {
    auto& parser = impl_->parser;
    if (!parser.is_header_done() || parser.is_done() || impl_->told_to_continue) return false;
    impl_->told_to_continue = true;
    return contains_token(std::string{parser.get()[http::field::expect]}, "100-continue");
}

HttpParser::State HttpParser::feed(std::string_view& bytes) {
    while (!bytes.empty() && !impl_->parser.is_done()) {
        impl_->started = true;
        beast::error_code error;
        const bool in_header = !impl_->parser.is_header_done();
        const auto used = impl_->parser.put(boost::asio::buffer(bytes), error);
        bytes.remove_prefix(used);
        if (in_header && (!error || error == http::error::need_more)) {
            impl_->header_bytes += used;
            const auto incomplete = impl_->parser.is_header_done() ? 0 : bytes.size();
            if (impl_->header_bytes + incomplete > header_bytes_max_) return State::header_too_large;
        }
        if (error == http::error::need_more) return State::incomplete;
        if (error == http::error::header_limit) return State::header_too_large;
        if (error == http::error::body_limit) return State::body_too_large;
        if (error) return State::malformed;
    }
    // Whoever is in front of us may take what such a request goes on with for its body (RFC 9112 §6.3); Beast sees none.
    const auto& parser = impl_->parser;
    if (parser.is_header_done() && !parser.chunked() && parser.get().count(http::field::transfer_encoding) > 0) return State::malformed;
    return impl_->parser.is_done() ? State::complete : State::incomplete;
}

HttpRequest HttpParser::take() {
    auto message = impl_->parser.release();
    reset();
    HttpRequest request;
    request.method = std::string{message.method_string()};
    request.keep_alive = message.keep_alive();
    request.chunks = message.version() >= 11;
    const std::string_view target{message.target().data(), message.target().size()};
    const auto question = std::min(target.find('?'), target.size());
    request.path = target.substr(0, question);
    request.query = parse_query(target.substr(std::min(question + 1, target.size())));
    for (const auto& field : message) {
        std::string name{field.name_string()};
        std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
        auto& value = request.headers[name];
        if (!value.empty()) value += ", ";
        value += std::string_view{field.value().data(), field.value().size()};
    }
    request.body = std::move(message.body());
    return request;
}

}  // namespace net
