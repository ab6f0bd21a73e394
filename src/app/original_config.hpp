#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "app/config.hpp"

/// The configuration of the original connector (ably-labs/ably-postgres-connector), taken as it is. All throw std::runtime_error
/// that says where something is wrong, and never what a secret is.
namespace app {

/// Its JSON file: {"dbConfig":{…},"connector":[{"tablename","ablychannelname","operation"}],"ably":{"apiKey"}}.
void read_original_json(std::string_view text, const std::string& file, Config& config);

/// A variable's value; nothing when it is not set.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;
/// Is there anything of its environment form?
bool has_original_environment(const Variables& variables);
/// DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME, ABLY_API_KEY, and ABLY_CONNECTOR, which is the JSON of "connector". A secret
/// can be in a file instead: DB_PASSWORD_FILE, ABLY_API_KEY_FILE.
void read_original_environment(const Variables& variables, Config& config);

/// A .env file: NAME=value lines, comments, quotes.
std::map<std::string, std::string> read_env_file(std::string_view text, const std::string& file);

/// The one line that a file holds.
std::string read_secret(const std::string& file);

}  // namespace app
