#include "app/revocation_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <boost/json.hpp>

#include "base/log.hpp"
#include "protocol/error_codes.hpp"

namespace app {
namespace {

namespace json = boost::json;
using auth::Revocation;
using base::Result;

std::string lines_of(std::span<const Revocation> revocations) {
    std::string lines;
    for (const auto& each : revocations) {
        lines += json::serialize(json::object{{"keyName", each.key_name},
                                              {"target", each.target},
                                              {"issuedBefore", base::to_ms(each.issued_before)},
                                              {"appliesAt", base::to_ms(each.applies_at)}});
        lines += '\n';
    }
    return lines;
}

std::optional<Revocation> revocation_of(std::string_view line) {
    boost::system::error_code error;
    const auto parsed = json::parse(line, error);
    const auto* object = error ? nullptr : parsed.if_object();
    if (!object) return std::nullopt;
    const auto *key_name = object->if_contains("keyName"), *target = object->if_contains("target");
    const auto *issued_before = object->if_contains("issuedBefore"), *applies_at = object->if_contains("appliesAt");
    if (!key_name || !key_name->is_string() || !target || !target->is_string()) return std::nullopt;
    if (!issued_before || !issued_before->is_int64() || !applies_at || !applies_at->is_int64()) return std::nullopt;
    return Revocation{.key_name = std::string{key_name->get_string()},
                      .target = std::string{target->get_string()},
                      .issued_before = base::from_ms(issued_before->get_int64()),
                      .applies_at = base::from_ms(applies_at->get_int64())};
}

bool write_durably(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fdatasync(file) == 0;
}

}  // namespace

RevocationFile::RevocationFile(std::filesystem::path path) : path_(std::move(path)) {}

RevocationFile::~RevocationFile() {
    if (file_ >= 0) ::close(file_);
}

std::vector<Revocation> RevocationFile::read() const {
    std::vector<Revocation> all;
    std::ifstream in{path_};
    std::size_t number = 0;
    for (std::string line; std::getline(in, line); ++number) {
        const auto revocation = revocation_of(line);
        if (revocation) all.push_back(*revocation);
        else if (!in.eof()) throw std::runtime_error(fmt::format("{}, line {}: not a revocation", path_.string(), number + 1));
    }
    return all;
}

Result<void> RevocationFile::append(std::span<const Revocation> added) {
    struct stat before {};
    const bool known = file_ >= 0 && ::fstat(file_, &before) == 0;
    if (known && write_durably(file_, lines_of(added))) return {};
    const int error = errno;
    // What was half written must not stand before what comes next.
    const bool mended = known && ::ftruncate(file_, before.st_size) == 0;
    base::log::error("at=revocations_not_kept file={} error=\"{}\" mended={}", path_.string(), std::strerror(error), mended);
    return protocol::fail(base::ErrorCode::internal_error, "The revocation could not be kept");
}

/// Written beside and moved into place, so that a crash leaves the old one or the new one.
Result<void> RevocationFile::replace(std::span<const Revocation> all) {
    const auto beside = path_.string() + ".new";
    const int fresh = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    const bool written = fresh >= 0 && write_durably(fresh, lines_of(all)) && ::rename(beside.c_str(), path_.c_str()) == 0;
    if (!written) {
        const int error = errno;
        if (fresh >= 0) ::close(fresh);
        return protocol::fail(base::ErrorCode::internal_error, "cannot write {}: {}", path_.string(), std::strerror(error));
    }
    if (file_ >= 0) ::close(file_);
    file_ = fresh;
    return {};
}

}  // namespace app
