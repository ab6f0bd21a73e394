#include "server/responses.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "net/gzip.hpp"
#include "net/http_fields.hpp"

namespace server {

using base::ErrorCode;
using base::fail;
using protocol::Format;

namespace {
constexpr std::string_view json_type = "application/json", msgpack_type = "application/x-msgpack";
}

Format format_sent(const net::HttpRequest& request) {
    return net::type_of(request.header("content-type")) == msgpack_type ? Format::msgpack : Format::json;
}

Format format_wanted(const net::HttpRequest& request) {
    if (const auto format = request.param("format")) return *format == "msgpack" ? Format::msgpack : Format::json;
    const auto accept = request.header("accept");
    return net::preference_for(accept, msgpack_type) > net::preference_for(accept, json_type) ? Format::msgpack : Format::json;
}

base::Result<void> make_body_readable(net::HttpRequest& request) {
    if (request.body.empty()) return {};
    const auto type = net::type_of(request.header("content-type"));
    if (!type.empty() && type != json_type && type != msgpack_type) {
        return fail(ErrorCode::unsupported_media_type, "A body is application/json or application/x-msgpack");
    }
    for (const auto coding : net::elements_of(request.header("content-encoding"))) {
        if (net::equals_ignoring_case(coding, "identity")) continue;
        const bool gzipped = net::equals_ignoring_case(coding, "gzip") || net::equals_ignoring_case(coding, "x-gzip");
        if (!gzipped || net::elements_of(request.header("content-encoding")).size() > 1) {
            return fail(ErrorCode::unsupported_media_type, "The Content-Encoding of a body can be gzip");
        }
        auto inflated = net::gunzip(request.body, base::limits::http_body_bytes_max);
        if (!inflated && inflated.error() == net::GunzipError::too_large) {
            return fail(ErrorCode::payload_too_large, "Body limit reached ({} bytes, inflated)", base::limits::http_body_bytes_max);
        }
        if (!inflated) return fail(ErrorCode::invalid_body, "The body is not gzip as its Content-Encoding says");
        request.body = *std::move(inflated);
    }
    return {};
}

net::HttpResponse respond(Format format, int status, std::string body) {
    return {.status = status,
            .headers = {{"Content-Type", std::string{format == Format::msgpack ? msgpack_type : json_type}}},
            .body = std::move(body)};
}

net::HttpResponse respond_json(Format format, int status, const std::string& json) {
    return respond(format, status, format == Format::msgpack ? protocol::json_to_msgpack(json) : json);
}

net::HttpResponse respond_error(Format format, const base::Error& error) {
    auto response = respond(format, protocol::http_status(error), protocol::encode_error(format, error));
    response.headers.emplace_back("X-Ably-ErrorCode", std::to_string(static_cast<int>(error.code)));
    std::string message = error.message;
    for (char& c : message) {
        if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') c = '?';  // a header is one line of ASCII
    }
    response.headers.emplace_back("X-Ably-ErrorMessage", std::move(message));
    return response;
}

bool accepts_gzip(const net::HttpRequest& request) {
    return net::preference_for(request.header("accept-encoding"), "gzip").weight > 0;
}

void compress(net::HttpResponse& response, bool accepted) {
    constexpr int fastest = 1;
    const auto has = [&](std::string_view name) {
        return std::ranges::any_of(response.headers, [&](const auto& header) { return header.first == name; });
    };
    const auto size = response.body.size();
    if (response.stream || response.shared_body || size < base::limits::http_compressed_bytes_min ||
        size > base::limits::http_compressed_bytes_max || has("ETag") || has("Content-Encoding")) {
        return;
    }
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (!accepted) return;
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = net::gzip(response.body, fastest);
}

}  // namespace server
