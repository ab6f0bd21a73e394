#include "server/static_files.hpp"

#include <openssl/sha.h>

#include <array>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/base64.hpp"
#include "base/limits.hpp"
#include "net/gzip.hpp"
#include "net/http_fields.hpp"
#include "server/responses.hpp"

namespace server {
namespace {

std::string_view content_type(const std::string& extension) {
    static const std::unordered_map<std::string, std::string_view> types{
        {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}, {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},   {".json", "application/json"},             {".svg", "image/svg+xml"},
        {".png", "image/png"},                 {".ico", "image/x-icon"},                  {".txt", "text/plain; charset=utf-8"},
        {".webmanifest", "application/manifest+json"}, {".woff2", "font/woff2"},          {".map", "application/json"}};
    const auto found = types.find(extension);
    return found == types.end() ? "application/octet-stream" : found->second;
}

bool is_compressible(std::string_view type) { return type.starts_with("text/") || type.ends_with("json") || type == "image/svg+xml"; }

std::string sha256_base64(std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return base::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

std::string security_policy(std::string_view html) {
    std::string scripts = "'self'";
    for (auto at = html.find("<script"); at != html.npos; at = html.find("<script", at)) {
        const auto open = html.find('>', at), close = html.find("</script>", at);
        if (open == html.npos || close == html.npos || close < open) break;
        const auto tag = html.substr(at, open - at);
        at = close;
        if (tag.find(" src=") != tag.npos || tag.find("application/json") != tag.npos) continue;  // a file, or nothing that runs
        scripts += fmt::format(" 'sha256-{}'", sha256_base64(html.substr(open + 1, close - open - 1)));
    }
    return fmt::format("default-src 'none'; script-src {}; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
                       "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                       scripts);
}

StaticFiles::File StaticFiles::read(const std::filesystem::path& place, const std::string& path) {
    constexpr int smallest = 9;
    std::ifstream file{place, std::ios::binary};
    auto content = std::make_shared<const std::string>(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
    const auto tag = fmt::format("{:x}-{:x}", content->size(), std::hash<std::string>{}(*content));
    File made{.plain = {content, fmt::format("\"{}\"", tag)},
              .gzipped = {},
              .type = std::string{content_type(place.extension().string())},
              .policy = {},
              .immutable = path.starts_with("/_nuxt/") && !path.starts_with("/_nuxt/builds/latest")};
    if (place.extension() == ".html") made.policy = security_policy(*content);
    if (content->size() < base::limits::http_compressed_bytes_min || !is_compressible(made.type)) return made;
    auto compressed = std::make_shared<const std::string>(net::gzip(*content, smallest));
    if (compressed->size() < content->size()) made.gzipped = {std::move(compressed), fmt::format("\"{}-gzip\"", tag)};
    return made;
}

StaticFiles::StaticFiles(const std::filesystem::path& folder) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        const auto path = "/" + entry.path().lexically_relative(folder).generic_string();
        auto made = read(entry.path(), path);
        constexpr std::string_view index = "/index.html";
        if (path.ends_with(index)) files_.emplace(path.size() == index.size() ? "/" : path.substr(0, path.size() - index.size()), made);
        files_.emplace(path, std::move(made));
    }
}

std::optional<net::HttpResponse> StaticFiles::find(const net::HttpRequest& request) const {
    if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
    const auto found = files_.find(fmt::format("/{}", fmt::join(request.segments, "/")));
    if (found == files_.end()) return std::nullopt;
    const auto& file = found->second;
    const bool gzipped = file.gzipped && accepts_gzip(request);
    const auto& form = gzipped ? *file.gzipped : file.plain;
    net::HttpResponse response{.headers = {{"Content-Type", file.type},
                                           {"ETag", form.etag},
                                           {"Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"},
                                           {"X-Content-Type-Options", "nosniff"},
                                           {"Referrer-Policy", "no-referrer"},
                                           {"X-Frame-Options", "DENY"}}};
    if (!file.policy.empty()) response.headers.emplace_back("Content-Security-Policy", file.policy);
    if (file.gzipped) response.headers.emplace_back("Vary", "Accept-Encoding");
    if (net::has_entity_tag(request.header("if-none-match"), form.etag)) {
        response.status = 304;
        return response;
    }
    if (gzipped) response.headers.emplace_back("Content-Encoding", "gzip");
    response.shared_body = form.content;
    return response;
}

}  // namespace server
