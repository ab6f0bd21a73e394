#include "app/secrets.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/random.hpp"

namespace app {
namespace {

/// What is wrong with a file of which others have one of these permissions; nothing when they do not, or there is no such file.
std::optional<std::string> openness(const std::filesystem::path& file, mode_t permissions) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0 || !S_ISREG(found.st_mode) || (found.st_mode & permissions) == 0) return std::nullopt;
    return fmt::format("{} holds a secret, and other accounts may read or write it (mode {:04o}). Run: chmod 600 {}", file.string(),
                       found.st_mode & 07777u, file.string());
}

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
    check_secret_file(file);
    std::ifstream in{file};
    std::string line;
    if (!std::getline(in, line) || line.empty()) throw std::runtime_error(fmt::format("cannot read {}", file.string()));
    const auto secret = std::string_view{line}.substr(line.find(':') + 1);
    if (secret.size() < secret_characters_min) {
        throw std::runtime_error(fmt::format("{}: its secret has fewer than {} characters, and could be guessed. For a new one: rm {}",
                                             file.string(), secret_characters_min, file.string()));
    }
    return line;
}

}  // namespace

DataFolder::DataFolder(std::filesystem::path path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    const auto file = path_ / "lock";
    lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_ < 0) throw std::runtime_error(fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)));
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(lock_);
    throw std::runtime_error(fmt::format("{} is in use by another palimpsest: give each process a data folder of its own", path_.string()));
}

DataFolder::~DataFolder() { ::close(lock_); }

Secrets DataFolder::secrets() const {
    if (const auto revocations = path_ / "revocations"; std::filesystem::exists(revocations)) check_secret_file(revocations);
    return {.api_key = keep(path_ / "api-key", fmt::format("chat.{}:{}", base::random_id(6), base::random_id(32))),
            .connection_secret = keep(path_ / "connection-secret", base::random_id(43)),
            .cookie_secret = keep(path_ / "cookie-secret", base::random_id(43))};
}

void check_secret_file(const std::filesystem::path& file) {
    const bool is_mounted = file.string().starts_with("/run/secrets/");
    if (const auto open = openness(file, is_mounted ? 022 : 066)) throw std::runtime_error(*open);
}

void check_secrets_within(const std::filesystem::path& file) {
    if (const auto open = openness(file, 002)) throw std::runtime_error(*open);
    if (const auto open = openness(file, 066)) base::log::warn("at=secrets_readable reason=\"{}\"", *open);
}

}  // namespace app
