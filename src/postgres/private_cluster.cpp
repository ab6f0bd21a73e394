#include "postgres/private_cluster.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "base/log.hpp"

namespace postgres {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto stop_deadline = 20s;
constexpr std::uintmax_t log_bytes_max = 16u << 20;  // then it is kept as postgres.log.old and begun anew
constexpr int oldest_version = 14;

std::string why() { return std::strerror(errno); }

/// FNV-1a: a short name for a path, the same at every start.
std::string hash_of(const fs::path& path) {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    for (const char each : path.string()) hash = (hash ^ static_cast<unsigned char>(each)) * 0x100'0000'01b3;
    return fmt::format("{:016x}", hash);
}

/// The first line of a file as a number; 0 when there is none.
int first_number(const fs::path& file) {
    std::ifstream in{file};
    int number = 0;
    in >> number;
    return in ? number : 0;
}

/// Makes the directory if it is missing, with those above it, and makes it the account's alone.
Result<void> own_directory(const fs::path& directory, const Account& account) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) return fail(ErrorCode::internal_error, "cannot make {}: {}", directory.string(), error.message());
    if (::geteuid() == 0 && ::chown(directory.c_str(), account.uid, account.gid) != 0)
        return fail(ErrorCode::internal_error, "cannot give {} to its user: {}", directory.string(), why());
    if (::chmod(directory.c_str(), 0700) != 0)
        return fail(ErrorCode::internal_error, "cannot make {} private: {}", directory.string(), why());
    return {};
}

/// The directory that holds `postgres` and `initdb`, of that version or, when it is 0, of the newest there is.
fs::path find_programs_of(int version) {
    int best = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", error}) {
        const int found = std::atoi(entry.path().filename().c_str());
        if (fs::exists(entry.path() / "bin/initdb") && found >= oldest_version && found > best &&
            (version == 0 || found == version))
            best = found;
    }
    if (best != 0) return fmt::format("/usr/lib/postgresql/{}/bin", best);
    std::string_view path = std::getenv("PATH") ? std::getenv("PATH") : "";
    while (!path.empty()) {
        const auto colon = std::min(path.find(':'), path.size());
        const fs::path directory{path.substr(0, colon)};
        if (fs::exists(directory / "initdb") && fs::exists(directory / "postgres")) return directory;
        path.remove_prefix(std::min(colon + 1, path.size()));
    }
    return {};
}

/// Whether this process is a Postgres that runs in that data directory: a pid alone may be anybody's by now.
bool is_postmaster_of(pid_t pid, const fs::path& data) {
    std::error_code error;
    const auto process = fs::path{"/proc"} / std::to_string(pid);
    const auto program = fs::read_symlink(process / "exe", error);
    if (error || program.filename().string().find("postgres") == std::string::npos) return false;
    return fs::read_symlink(process / "cwd", error) == data && !error;
}

}  // namespace

Result<std::unique_ptr<PrivateCluster>> PrivateCluster::start(const Options& options) {
    std::unique_ptr<PrivateCluster> cluster{new PrivateCluster{options}};
    for (const auto step :
         {&PrivateCluster::choose_directory, &PrivateCluster::lock, &PrivateCluster::find_programs, &PrivateCluster::make_cluster,
          &PrivateCluster::make_socket_directory, &PrivateCluster::end_predecessor, &PrivateCluster::run}) {
        if (auto done = (cluster.get()->*step)(); !done) return std::unexpected(done.error());
    }
    return cluster;
}

PrivateCluster::~PrivateCluster() {
    stop();
    if (lock_ >= 0) ::close(lock_);
}

Result<void> PrivateCluster::choose_directory() {
    auto& directory = options_.directory;
    directory = fs::absolute(directory).lexically_normal();
    if (!fs::exists(directory)) {
        if (auto made = own_directory(directory, account_); !made) return made;
    }
    if (!can_use(account_, directory) && ::geteuid() == 0 && !fs::is_symlink(directory)) {
        // Ours to give away only when it is empty; then it may still be that a directory above it lets nobody in.
        if (fs::is_empty(directory)) {
            if (auto owned = own_directory(directory, account_); !owned) return owned;
        }
        if (!can_use(account_, directory)) {
            if (!fs::is_empty(directory))
                return fail(ErrorCode::internal_error, "{} cannot be used by the account Postgres runs as", directory.string());
            const auto elsewhere = fs::path{"/var/lib/palimpsest"} / hash_of(directory);
            if (auto owned = own_directory(elsewhere, account_); !owned) return owned;
            fs::permissions(elsewhere.parent_path(), fs::perms{0755});  // whatever our umask is
            fs::remove(directory);
            fs::create_directory_symlink(elsewhere, directory);
            base::log::info("at=cluster_moved directory={} to={} reason=\"the account Postgres runs as cannot reach the first\"",
                            directory.string(), elsewhere.string());
        }
    }
    directory = fs::canonical(directory);
    if (can_use(account_, directory)) return {};
    return fail(ErrorCode::internal_error, "{} cannot be used by the account Postgres runs as", directory.string());
}

Result<void> PrivateCluster::lock() {
    const auto path = options_.directory / "lock";
    lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_ < 0) return fail(ErrorCode::internal_error, "cannot open {}: {}", path.string(), why());
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
    return fail(ErrorCode::conflict, "{} is in use by another palimpsest", options_.directory.string());
}

Result<void> PrivateCluster::find_programs() {
    const int version = first_number(data() / "PG_VERSION");
    programs_ = find_programs_of(version);
    if (!programs_.empty()) return {};
    if (version != 0)
        return fail(ErrorCode::internal_error, "{} was made by Postgres {}, which is not installed", data().string(), version);
    return fail(ErrorCode::internal_error, "Postgres is not installed: no initdb in /usr/lib/postgresql/*/bin nor in PATH");
}

Result<void> PrivateCluster::make_cluster() {
    std::error_code error;
    if (fs::file_size(log(), error) > log_bytes_max && !error) fs::rename(log(), options_.directory / "postgres.log.old", error);
    if (fs::exists(data() / "PG_VERSION")) return {};
    // Made beside its place and then moved there: one that was interrupted is no cluster.
    const auto unfinished = options_.directory / "pgdata.new";
    fs::remove_all(unfinished, error);
    // Not a superuser `palimpsest`: a schema of that name is ours, and who is called like a schema has it first in the search
    // path. `trust`: whoever can reach the socket is let in, and its directory is for its owner alone; there is no other way in.
    Program initdb{
        .arguments = {programs_ / "initdb", "-D", unfinished, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"},
        .account = account_,
        .log = log()};
    if (!options_.fsync) initdb.arguments.push_back("--no-sync");
    if (auto made = run_program(initdb); !made) return made;
    fs::rename(unfinished, data(), error);
    if (error) return fail(ErrorCode::internal_error, "cannot name {}: {}", data().string(), error.message());
    base::log::info("at=cluster_made directory={} programs={}", data().string(), programs_.string());
    return {};
}

/// Short, for a socket's path has 107 bytes. Anybody may make names in /tmp: one that is not a directory of ours alone is passed
/// by.
Result<void> PrivateCluster::make_socket_directory() {
    for (int attempt = 0; attempt < 8; ++attempt) {
        const fs::path directory =
            fmt::format("/tmp/palimpsest-{}{}", hash_of(options_.directory), attempt == 0 ? "" : fmt::format("-{}", attempt));
        if (::mkdir(directory.c_str(), 0700) == 0 && ::geteuid() == 0 &&
            ::chown(directory.c_str(), account_.uid, account_.gid) != 0)
            return fail(ErrorCode::internal_error, "cannot give {} to its user: {}", directory.string(), why());
        struct stat found{};
        if (::lstat(directory.c_str(), &found) != 0)
            return fail(ErrorCode::internal_error, "cannot make {}: {}", directory.string(), why());
        if (!S_ISDIR(found.st_mode) || found.st_uid != account_.uid || (found.st_mode & 0777) != 0700) continue;
        socket_directory_ = directory;
        return {};
    }
    return fail(ErrorCode::internal_error, "the names for the socket's directory in /tmp are all taken by others");
}

/// A postmaster of a run of ours that was killed is on its way out, or did not notice.
Result<void> PrivateCluster::end_predecessor() {
    const pid_t pid = first_number(data() / "postmaster.pid");
    if (pid <= 1 || !is_postmaster_of(pid, data())) return {};
    base::log::info("at=cluster_predecessor pid={}", pid);
    const auto started = std::chrono::steady_clock::now();
    ::kill(pid, SIGINT);
    for (bool pressed = false; is_postmaster_of(pid, data());) {
        const auto waited = std::chrono::steady_clock::now() - started;
        if (waited > stop_deadline && !std::exchange(pressed, true)) ::kill(pid, SIGQUIT);
        if (waited > 2 * stop_deadline)
            return fail(ErrorCode::internal_error, "the Postgres of an earlier run, process {}, does not end", pid);
        std::this_thread::sleep_for(10ms);
    }
    return {};
}

Result<void> PrivateCluster::run() {
    Program postgres{.arguments = {programs_ / "postgres", "-D", data()}, .account = account_, .log = log(), .dies_with_us = true};
    std::vector<std::string> settings{"unix_socket_directories=" + socket_directory_.string(),
                                      "listen_addresses=",
                                      "wal_level=logical",
                                      "max_slot_wal_keep_size=8GB",  // a slot that nobody reads must not fill the disk
                                      "log_checkpoints=off",
                                      "logging_collector=off",
                                      std::string{"fsync="} + (options_.fsync ? "on" : "off")};
    settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
    for (auto& setting : settings) {
        postgres.arguments.push_back("-c");
        postgres.arguments.push_back(std::move(setting));
    }
    const auto started = start_program(postgres);
    if (!started) return std::unexpected(started.error());
    postmaster_ = *started;
    auto ready = wait_until_ready();
    if (ready) base::log::info("at=cluster_ready pid={} socket={}", postmaster_, socket_directory_.string());
    return ready;
}

Result<void> PrivateCluster::wait_until_ready() {
    const auto deadline = std::chrono::steady_clock::now() + options_.start_timeout;
    while (PQping(conninfo().c_str()) != PQPING_OK) {
        if (!is_running()) return fail(ErrorCode::internal_error, "Postgres did not start: see {}", log().string());
        if (std::chrono::steady_clock::now() > deadline)
            return fail(ErrorCode::timeout, "Postgres is not ready yet: see {}", log().string());
        std::this_thread::sleep_for(10ms);
    }
    return {};
}

std::string PrivateCluster::conninfo() const {
    return fmt::format("host={} user=postgres dbname=postgres", socket_directory_.string());
}

bool PrivateCluster::is_running() {
    if (postmaster_ > 0 && wait_for_end(postmaster_, 0ms)) postmaster_ = -1;
    return postmaster_ > 0;
}

void PrivateCluster::stop() {
    if (!is_running()) return;
    ::kill(postmaster_, SIGINT);
    if (!wait_for_end(postmaster_, stop_deadline)) {
        base::log::warn("at=cluster_slow_stop pid={} reason=\"did not end in time: stopped as by a crash\"", postmaster_);
        ::kill(postmaster_, SIGQUIT);
        wait_for_end(postmaster_, stop_deadline);
    }
    postmaster_ = -1;
    std::error_code ignored;
    fs::remove(socket_directory_, ignored);
}

Result<void> PrivateCluster::restart() {
    stop();
    if (auto made = make_socket_directory(); !made) return made;
    return run();
}

}  // namespace postgres
