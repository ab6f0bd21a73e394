#pragma once

#include <filesystem>
#include <string>

namespace app {

constexpr std::size_t secret_characters_min = 16;  // of a secret in the data folder; a shorter one is refused. Ours have 32 and 43

/// What a server must not forget between two runs: kept in files of the data folder that only their owner can read.
struct Secrets {
    std::string api_key;            // appId.keyId:secret, when the configuration names no key
    std::string connection_secret;  // signs connectionKeys: clients resume across a restart
    std::string cookie_secret;      // signs browsers' clientIds
};

/// The data folder, for one process at a time: two would not know of each other's revocations. It holds a lock on `lock` in it until
/// it is destroyed, or the process ends in whatever way.
class DataFolder {
public:
    /// Makes the folder if it is missing. Throws std::runtime_error when it cannot be used, or another process has it.
    explicit DataFolder(std::filesystem::path path);
    ~DataFolder();
    DataFolder(const DataFolder&) = delete;
    DataFolder& operator=(const DataFolder&) = delete;

    /// Reads them, making what is not there yet. Throws std::runtime_error, with the command that helps, when one is too short or other
    /// accounts may read or write it.
    Secrets secrets() const;

private:
    std::filesystem::path path_;
    int lock_ = -1;
};

/// Throws std::runtime_error, with the command that helps, when accounts other than its owner may read or write the file. Below
/// /run/secrets, where a container's runtime puts what all of the container may read, they only must not write.
void check_secret_file(const std::filesystem::path& file);
/// The same for a configuration file that has secrets among other things: such are often readable, so that is a warning.
void check_secrets_within(const std::filesystem::path& file);

}  // namespace app
