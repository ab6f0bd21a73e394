#include "server/static_files.hpp"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

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

}  // namespace

StaticFiles::StaticFiles(const std::filesystem::path& folder) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file{entry.path(), std::ios::binary};
        auto content = std::make_shared<const std::string>(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
        const auto path = "/" + entry.path().lexically_relative(folder).generic_string();
        File made{.content = content,
                  .type = std::string{content_type(entry.path().extension().string())},
                  .etag = fmt::format("\"{:x}-{:x}\"", content->size(), std::hash<std::string>{}(*content)),
                  .immutable = path.starts_with("/_nuxt/") && !path.starts_with("/_nuxt/builds/latest")};
        if (path.ends_with("/index.html")) files_.emplace(path.substr(0, path.size() - 10), made);
        files_.emplace(path, std::move(made));
    }
}

std::optional<net::HttpResponse> StaticFiles::find(const net::HttpRequest& request) const {
    if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
    const auto path = net::percent_decode(request.path, false);
    const auto found = path ? files_.find(*path) : files_.end();
    if (found == files_.end()) return std::nullopt;
    const auto& file = found->second;
    net::HttpResponse response{.headers = {{"Content-Type", file.type},
                                           {"ETag", file.etag},
                                           {"Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"},
                                           {"X-Content-Type-Options", "nosniff"},
                                           {"Referrer-Policy", "no-referrer"},
                                           {"X-Frame-Options", "DENY"}}};
    if (request.header("if-none-match") == file.etag) response.status = 304;
    else response.shared_body = file.content;
    return response;
}

}  // namespace server
