#include "app/secrets.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>

#include "base/random.hpp"

namespace app {
namespace {

/// The file's one line; `made` is written first when there is no such file. Written beside and moved into place, so that a
/// crash leaves no half of one.
std::string keep(const std::filesystem::path& file, const std::string& made) {
    if (!std::filesystem::exists(file)) {
        const auto beside = file.string() + ".new";
        const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const auto line = made + "\n";
        const bool written = fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
        const int error = errno;
        if (fd >= 0) ::close(fd);
        if (!written) throw std::runtime_error(fmt::format("cannot write {}: {}", file.string(), std::strerror(error)));
        std::filesystem::rename(beside, file);
    }
    std::ifstream in{file};
    std::string line;
    if (!std::getline(in, line) || line.empty()) throw std::runtime_error(fmt::format("cannot read {}", file.string()));
    return line;
}

}  // namespace

Secrets keep_secrets(const std::filesystem::path& data) {
    std::filesystem::create_directories(data);
    return {.api_key = keep(data / "api-key", fmt::format("chat.{}:{}", base::random_id(6), base::random_id(32))),
            .connection_secret = keep(data / "connection-secret", base::random_id(43)),
            .cookie_secret = keep(data / "cookie-secret", base::random_id(43))};
}

}  // namespace app
