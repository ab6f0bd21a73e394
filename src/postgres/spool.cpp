#include "postgres/spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace postgres {
namespace {

constexpr std::size_t block_bytes = 256 * 1024;

auto failed(std::string_view what, const std::filesystem::path& folder, int error) {
    return base::fail(base::ErrorCode::unavailable,
                      "cannot {} a temporary file in {} (TMPDIR names another folder) for a transaction that is too large for memory: {}",
                      what, folder.string(), std::strerror(error));
}

}  // namespace

Spool::~Spool() {
    if (file_ >= 0) ::close(file_);
}

Spool::Spool(Spool&& other) noexcept
    : folder_(std::move(other.folder_)), file_(std::exchange(other.file_, -1)), written_(other.written_), read_(other.read_),
      memory_(std::move(other.memory_)), block_(std::move(other.block_)), at_(other.at_) {}

base::Result<void> Spool::open() {
    auto name = (folder_ / "palimpsest-XXXXXX").string();
    file_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (file_ < 0) return failed("make", folder_, errno);
    ::unlink(name.c_str());
    return {};
}

base::Result<void> Spool::spill() {
    if (file_ < 0) {
        if (auto opened = open(); !opened) return opened;
    }
    for (std::string_view left = memory_; !left.empty();) {
        const auto count = ::pwrite(file_, left.data(), left.size(), static_cast<off_t>(written_ + memory_.size() - left.size()));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return failed("write", folder_, count < 0 ? errno : ENOSPC);
        left.remove_prefix(static_cast<std::size_t>(count));
    }
    written_ += memory_.size();
    memory_.clear();
    return {};
}

base::Result<std::string_view> Spool::read(std::size_t count) {
    if (block_.size() - at_ < count) {
        if (auto refilled = refill(count); !refilled) return std::unexpected(refilled.error());
    }
    const auto taken = std::string_view{block_}.substr(at_, count);
    at_ += taken.size();
    return taken;
}

base::Result<void> Spool::refill(std::size_t count) {
    block_.erase(0, std::exchange(at_, 0));
    while (block_.size() < count && read_ < written_) {
        const auto had = block_.size();
        block_.resize(had + std::min(std::max(block_bytes, count - had), written_ - read_));
        const auto got = ::pread(file_, block_.data() + had, block_.size() - had, static_cast<off_t>(read_));
        block_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return failed("read", folder_, got < 0 ? errno : EIO);
        read_ += static_cast<std::size_t>(got);
    }
    if (block_.size() >= count) return {};
    if (block_.empty()) block_.swap(memory_);
    else block_ += std::exchange(memory_, {});
    return {};
}

std::filesystem::path spool_folder() {
    const char* const named = std::getenv("TMPDIR");
    return named && *named ? named : "/var/tmp";
}

}  // namespace postgres
