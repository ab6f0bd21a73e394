#include "postgres/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

namespace postgres {
namespace {

using namespace std::chrono_literals;

/// In a child: only what is async-signal-safe from here to the exec, for there may be other threads.
bool become(const Account& account) {
    if (::geteuid() != 0) return true;
    return ::setgroups(0, nullptr) == 0 && ::setgid(account.gid) == 0 && ::setuid(account.uid) == 0;
}

void restore_signals() {
    for (int each = 1; each < NSIG; ++each) ::signal(each, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

Account unprivileged_account() {
    if (::geteuid() != 0) return {::geteuid(), ::getegid()};
    for (const auto* name : {"postgres", "nobody"}) {
        if (const passwd* entry = ::getpwnam(name)) return {entry->pw_uid, entry->pw_gid};
    }
    return {65'534, 65'534};
}

Result<pid_t> start_program(const Program& program) {
    std::vector<char*> arguments;
    for (const auto& each : program.arguments) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    const int log = ::open(program.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log < 0) return fail(ErrorCode::internal_error, "cannot write {}: {}", program.log.string(), std::strerror(errno));
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        restore_signals();
        ::setpgid(0, 0);
        const int null = ::open("/dev/null", O_RDONLY);
        if (::dup2(null, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0) ::_exit(126);
        ::close_range(3, ~0u, 0);
        if (!become(program.account)) ::_exit(126);
        // After setuid, which would clear it. Whoever died before this line did not signal us.
        if (program.death_signal != 0 && (::prctl(PR_SET_PDEATHSIG, program.death_signal) != 0 || ::getppid() != parent)) ::_exit(126);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(log);
    if (child < 0) return fail(ErrorCode::internal_error, "cannot fork: {}", std::strerror(errno));
    return child;
}

std::optional<int> wait_for_end(pid_t child, std::chrono::milliseconds time) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    for (;;) {
        int status = 0;
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child || (ended < 0 && errno == ECHILD)) return status;
        if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
        std::this_thread::sleep_for(5ms);
    }
}

Result<void> run_program(const Program& program) {
    const auto child = start_program(program);
    if (!child) return std::unexpected(child.error());
    const auto status = wait_for_end(*child, 24h);
    if (status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return {};
    return fail(ErrorCode::internal_error, "{} failed: see {}", program.arguments[0], program.log.string());
}

bool can_use(const Account& account, const std::filesystem::path& directory) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(become(account) && ::access(directory.c_str(), R_OK | W_OK | X_OK) == 0 ? 0 : 1);
    const auto status = child < 0 ? std::nullopt : wait_for_end(child, 24h);
    return status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
}

}  // namespace postgres
