#include "postgres/private_cluster.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

constexpr auto stop_deadline = 20s, leftovers_deadline = 5s;
constexpr std::uintmax_t log_bytes_max = 16u << 20;  // then it is kept as postgres.log.old and begun anew
constexpr int oldest_version = 14;

/// The server's role may do what a database's owner may, and replicate. What a superuser makes in that database, at a psql for one, it
/// gets too, but for extensions' own and temporary objects: a table can be fed by its owner alone.
constexpr auto server_role_sql = R"sql(
    BEGIN;
    SET LOCAL client_min_messages = error;
    SET LOCAL search_path = pg_catalog, pg_temp;
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_server') THEN CREATE ROLE palimpsest_server; END IF;
        IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public') THEN GRANT ALL ON SCHEMA public TO palimpsest_server; END IF;
    END $$;
    ALTER ROLE palimpsest_server LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    GRANT pg_monitor TO palimpsest_server;
    ALTER DATABASE postgres OWNER TO palimpsest_server;
    CREATE SCHEMA IF NOT EXISTS palimpsest_admin;
    CREATE OR REPLACE FUNCTION palimpsest_admin.give_to_server() RETURNS void LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        change text;
    BEGIN
        FOR change IN
            WITH superuser AS (SELECT oid FROM pg_roles WHERE rolsuper),
                 space AS (SELECT * FROM pg_namespace
                           WHERE nspname NOT LIKE 'pg\_%' AND nspname NOT IN ('information_schema', 'palimpsest_admin')),
                 extended AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
            SELECT format('SCHEMA %I', nspname) FROM space
            WHERE oid >= 16384 AND nspowner IN (TABLE superuser) AND ('pg_namespace'::regclass, oid) NOT IN (TABLE extended)
            UNION ALL
            SELECT format('%s %I.%I', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                                     WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, space.nspname, c.relname)
            FROM pg_class c JOIN space ON space.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relowner IN (TABLE superuser)
                AND ('pg_class'::regclass, c.oid) NOT IN (TABLE extended)
                AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                                     AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
            UNION ALL
            SELECT format('ROUTINE %s', p.oid::regprocedure) FROM pg_proc p JOIN space ON space.oid = p.pronamespace
            WHERE p.proowner IN (TABLE superuser) AND ('pg_proc'::regclass, p.oid) NOT IN (TABLE extended)
            UNION ALL
            SELECT format('PUBLICATION %I', pubname) FROM pg_publication WHERE pubowner IN (TABLE superuser) AND NOT puballtables
        LOOP
            BEGIN
                EXECUTE 'ALTER ' || change || ' OWNER TO palimpsest_server';
            EXCEPTION WHEN others THEN RAISE WARNING '% stays the superuser''s: %', change, SQLERRM;
            END;
        END LOOP;
    END $$;
    CREATE OR REPLACE FUNCTION palimpsest_admin.on_create() RETURNS event_trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN PERFORM palimpsest_admin.give_to_server(); END IF;
    END $$;
    REVOKE ALL ON FUNCTION palimpsest_admin.give_to_server(), palimpsest_admin.on_create() FROM PUBLIC;
    SELECT palimpsest_admin.give_to_server();
    DROP EVENT TRIGGER IF EXISTS palimpsest_give_to_server;
    CREATE EVENT TRIGGER palimpsest_give_to_server ON ddl_command_end
        WHEN TAG IN ('CREATE SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE VIEW', 'CREATE MATERIALIZED VIEW',
                     'CREATE SEQUENCE', 'CREATE FUNCTION', 'CREATE PROCEDURE', 'CREATE PUBLICATION')
        EXECUTE FUNCTION palimpsest_admin.on_create();
    COMMIT)sql";

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
        .log = log(),
        .death_signal = SIGKILL};  // the servers that it runs end with their input
    if (!options_.fsync) initdb.arguments.push_back("--no-sync");
    if (auto made = run_program(initdb); !made) return made;
    fs::rename(unfinished, data(), error);
    if (error) return fail(ErrorCode::internal_error, "cannot name {}: {}", data().string(), error.message());
    base::log::info("at=cluster_made directory={} programs={}", data().string(), programs_.string());
    return {};
}

/// In our own directory. Where the name is taken there, or makes the socket's path too long, one in /tmp under a name that nobody knows
/// beforehand.
Result<void> PrivateCluster::make_socket_directory() {
    const auto ours = options_.directory / "socket";
    const bool short_enough = (ours / ".s.PGSQL.5432").string().size() < sizeof(sockaddr_un::sun_path);
    if (short_enough && !fs::is_symlink(ours) && own_directory(ours, account_)) {
        socket_directory_ = ours;
        return {};
    }
    std::string name = "/tmp/palimpsest-XXXXXX";
    if (!::mkdtemp(name.data())) return fail(ErrorCode::internal_error, "cannot make a directory in /tmp for the socket: {}", why());
    socket_directory_ = name;
    return own_directory(name, account_);
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
    Program postgres{.arguments = {programs_ / "postgres", "-D", data()}, .account = account_, .log = log(), .death_signal = SIGINT};
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
    if (ready) ready = prepare_server_role();
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

/// Each time: a folder that an earlier version made has everything as the superuser's.
Result<void> PrivateCluster::prepare_server_role() {
    const auto why_not = [](const char* said) -> Result<void> {
        return fail(ErrorCode::internal_error, "cannot prepare the server's role: {}", one_line(said));
    };
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection{PQconnectdb(conninfo().c_str()), &PQfinish};
    if (PQstatus(connection.get()) != CONNECTION_OK) return why_not(PQerrorMessage(connection.get()));
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    PGresult* const result = PQexec(connection.get(), server_role_sql);
    const Rows owner{result};
    const auto status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? Result<void>{} : why_not(PQresultErrorMessage(result));
}

std::string PrivateCluster::conninfo() const { return conninfo_of("postgres"); }
std::string PrivateCluster::server_conninfo() const { return conninfo_of("palimpsest_server"); }

std::string PrivateCluster::conninfo_of(std::string_view user) const {
    std::string host;
    for (const char each : socket_directory_.string()) {
        if (std::string_view{" \t'\\"}.contains(each)) host += '\\';
        host += each;
    }
    return fmt::format("host={} user={} dbname=postgres", host, user);
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
    // Of a postmaster that was killed, processes live on for a moment, and Postgres does not start while they hold its memory.
    for (const auto deadline = std::chrono::steady_clock::now() + leftovers_deadline;; std::this_thread::sleep_for(100ms)) {
        auto ready = run();
        if (ready || is_running() || std::chrono::steady_clock::now() > deadline) return ready;
    }
}

}  // namespace postgres
