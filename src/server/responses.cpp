#include "server/responses.hpp"

#include <algorithm>

namespace server {

using protocol::Format;

namespace {
constexpr std::string_view msgpack_type = "application/x-msgpack";
}

Format format_sent(const net::HttpRequest& request) {
    return request.header("content-type").starts_with(msgpack_type) ? Format::msgpack : Format::json;
}

Format format_wanted(const net::HttpRequest& request) {
    if (const auto format = request.param("format")) return *format == "msgpack" ? Format::msgpack : Format::json;
    return request.header("accept").find(msgpack_type) != std::string_view::npos ? Format::msgpack : Format::json;
}

bool is_body_readable(const net::HttpRequest& request) {
    const auto type = request.header("content-type");
    if (request.body.empty() || type.empty()) return true;
    const auto essence = type.substr(0, std::min(type.find_first_of("; "), type.size()));
    return essence == "application/json" || essence == msgpack_type;
}

net::HttpResponse respond(Format format, int status, std::string body) {
    return {.status = status,
            .headers = {{"Content-Type", format == Format::msgpack ? std::string{msgpack_type} : "application/json"}},
            .body = std::move(body)};
}

net::HttpResponse respond_json(Format format, int status, const std::string& json) {
    return respond(format, status, format == Format::msgpack ? protocol::json_to_msgpack(json) : json);
}

net::HttpResponse respond_error(Format format, const base::Error& error) {
    auto response = respond(format, protocol::http_status(error.code), protocol::encode_error(format, error));
    response.headers.emplace_back("X-Ably-ErrorCode", std::to_string(static_cast<int>(error.code)));
    std::string message = error.message;
    for (char& c : message) {
        if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') c = '?';  // a header is one line of ASCII
    }
    response.headers.emplace_back("X-Ably-ErrorMessage", std::move(message));
    return response;
}

}  // namespace server
