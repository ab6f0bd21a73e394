#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "postgres/rows.hpp"

namespace postgres {

/// Who Postgres runs as: it refuses to be root.
struct Account {
    uid_t uid = 0;
    gid_t gid = 0;
};
/// Ourselves; or, when we are root, `postgres` if there is such a user, else `nobody`.
Account unprivileged_account();

struct Program {
    std::vector<std::string> arguments;  // the first one is the path
    Account account;
    std::filesystem::path log;     // its standard output and error are appended to this
    int death_signal = 0;          // it gets this when the thread that started it ends, however that ends; 0: nothing
};
/// Starts a program with no file of ours open but its log, in a process group of its own: a Ctrl-C at the terminal is for us, and
/// we stop it in our own time. Main thread only (`death_signal` follows the calling thread).
Result<pid_t> start_program(const Program& program);

/// Waits for our child to end, at most until the time is up. Its status as waitpid gives it.
std::optional<int> wait_for_end(pid_t child, std::chrono::milliseconds time);
/// Starts a program and waits for it. Error: internal_error when it fails.
Result<void> run_program(const Program& program);

/// Whether the account may read, write and search this directory: asked of the kernel in that account's name.
bool can_use(const Account& account, const std::filesystem::path& directory);

}  // namespace postgres
