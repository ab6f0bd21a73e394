#pragma once

#include <filesystem>
#include <vector>

#include "auth/revocations.hpp"

namespace app {

/// The revocations of a data folder: a line of JSON each, as docs/formats.md has it. Shared: whoever owns it sees to threads.
class RevocationFile final : public auth::RevocationLog {
public:
    explicit RevocationFile(std::filesystem::path path);
    ~RevocationFile() override;
    RevocationFile(const RevocationFile&) = delete;
    RevocationFile& operator=(const RevocationFile&) = delete;

    /// What is in it; a last line that a crash cut short is passed by. Throws std::runtime_error for any other that is malformed: to
    /// pass that by would make a revoked token good again.
    std::vector<auth::Revocation> read() const;

    base::Result<void> append(std::span<const auth::Revocation> added) override;
    base::Result<void> replace(std::span<const auth::Revocation> all) override;

private:
    std::filesystem::path path_;
    int file_ = -1;  // open to append, once replace() made it
};

}  // namespace app
