#pragma once

#include <CLI/CLI.hpp>

namespace app {

/// `palimpsest bench`: loads a server that is already there and says what it did. Sets `exit_code`: 1 when something was lost.
void add_bench(CLI::App& cli, int& exit_code);

}  // namespace app
