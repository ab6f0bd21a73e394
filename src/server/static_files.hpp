#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "net/http.hpp"

namespace server {

/// The Content-Security-Policy of a page: its own origin's scripts, styles and connections and nobody else's, and no inline script but
/// those that are in it, by their hashes.
std::string security_policy(std::string_view html);

/// The page: every file below a folder, read and compressed once at start, so that no request ever touches the disk or names a path.
/// Shared, immutable.
class StaticFiles {
public:
    StaticFiles() = default;
    /// Throws std::filesystem::filesystem_error when the folder cannot be read.
    explicit StaticFiles(const std::filesystem::path& folder);

    /// The file at a URL's path ("/" is index.html), or nothing: compressed where that helps and is accepted, 304 when the client has it.
    std::optional<net::HttpResponse> find(const net::HttpRequest& request) const;
    bool empty() const { return files_.empty(); }

private:
    struct Form {
        std::shared_ptr<const std::string> content;
        std::string etag;
    };
    struct File {
        Form plain;
        std::optional<Form> gzipped;
        std::string type;
        std::string policy;      // Content-Security-Policy, of a page
        bool immutable = false;  // its name holds its hash
    };
    static File read(const std::filesystem::path& place, const std::string& path);
    std::unordered_map<std::string, File> files_;  // by decoded URL path
};

}  // namespace server
