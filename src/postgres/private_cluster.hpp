#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "postgres/process.hpp"

namespace postgres {

/// A Postgres of our own for one machine: made in a directory at the first start, run as our child, reached only through a unix
/// socket. Main thread only.
///
///   directory/              for one palimpsest at a time: it holds a lock on `lock`
///     pgdata/               the cluster
///     postgres.log          what initdb and Postgres say
///     socket/               the way in, unless its path is too long for a socket
///
/// When we are root, Postgres runs as an unprivileged account, which must be able to reach the directory; where it cannot (below
/// a /root of mode 700), the directory becomes a symlink to one below /var/lib/palimpsest.
class PrivateCluster {
public:
    struct Options {
        std::filesystem::path directory;
        bool fsync = true;                              // off only in tests: a crash of the machine may lose the cluster
        std::vector<std::string> settings = {};         // more of postgresql.conf: "work_mem=8MB"; they win over ours
        std::chrono::milliseconds start_timeout{120'000};  // after a crash it reads its WAL first
    };
    static Result<std::unique_ptr<PrivateCluster>> start(const Options& options);
    ~PrivateCluster();
    PrivateCluster(const PrivateCluster&) = delete;
    PrivateCluster& operator=(const PrivateCluster&) = delete;

    /// For libpq, as the superuser: for operators and tests. Whoever can search the socket's directory, its owner and root, may.
    std::string conninfo() const;
    /// As the role that the server has, which owns the database and what is in it, may replicate, and is no superuser.
    std::string server_conninfo() const;
    pid_t pid() const { return postmaster_; }
    bool is_running();

    /// Ends sessions and rolls back what is open, as SIGINT tells it; after a deadline at once, as a crash would.
    void stop();
    Result<void> restart();

private:
    explicit PrivateCluster(Options options) : options_(std::move(options)) {}

    Result<void> choose_directory();
    Result<void> lock();
    Result<void> find_programs();
    Result<void> make_cluster();
    Result<void> make_socket_directory();
    Result<void> end_predecessor();
    Result<void> run();
    Result<void> wait_until_ready();
    Result<void> prepare_server_role();
    std::string conninfo_of(std::string_view user) const;
    std::filesystem::path data() const { return options_.directory / "pgdata"; }
    std::filesystem::path log() const { return options_.directory / "postgres.log"; }

    Options options_;
    Account account_ = unprivileged_account();
    std::filesystem::path programs_, socket_directory_;
    int lock_ = -1;
    pid_t postmaster_ = -1;
};

}  // namespace postgres
