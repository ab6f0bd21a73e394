#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "net/http.hpp"

namespace server {

/// The page: every file below a folder, read once at start, so that no request ever touches the disk or names a path.
/// Shared, immutable.
class StaticFiles {
public:
    StaticFiles() = default;
    /// Throws std::filesystem::filesystem_error when the folder cannot be read.
    explicit StaticFiles(const std::filesystem::path& folder);

    /// The file at an undecoded URL path ("/" is index.html), or nothing. Answers If-None-Match with 304.
    std::optional<net::HttpResponse> find(const net::HttpRequest& request) const;
    bool empty() const { return files_.empty(); }

private:
    struct File {
        std::shared_ptr<const std::string> content;
        std::string type, etag;
        bool immutable = false;  // its name holds its hash
    };
    std::unordered_map<std::string, File> files_;  // by decoded URL path
};

}  // namespace server
