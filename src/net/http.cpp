#include "net/http.hpp"

#include <charconv>

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include "net/http_fields.hpp"

namespace net {

namespace http = boost::beast::http;

bool HttpRequest::asks_for_websocket() const {
    // Whoever speaks HTTP/1.0 cannot mean it (RFC 9110 §7.8).
    return chunks && has_token(header("connection"), "upgrade") && has_token(header("upgrade"), "websocket");
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

}  // namespace net
