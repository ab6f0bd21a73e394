#pragma once

#include <filesystem>
#include <string>

namespace app {

/// What a server must not forget between two runs: kept in files of the data folder that only their owner can read.
struct Secrets {
    std::string api_key;            // appId.keyId:secret, when the configuration names no key
    std::string connection_secret;  // signs connectionKeys: clients resume across a restart
    std::string cookie_secret;      // signs browsers' clientIds
};

/// Reads them, making what is not there yet. Throws std::runtime_error when the folder cannot be used.
Secrets keep_secrets(const std::filesystem::path& data);

}  // namespace app
