#include "support.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <thread>

#include "postgres/migrate.hpp"

namespace integration {
namespace {

class ClusterOfTheProgram : public ::testing::Environment {
public:
    void TearDown() override {
        cluster_.reset();
        directory_.reset();
    }
    postgres::PrivateCluster& get() {
        if (cluster_) return *cluster_;
        directory_ = std::make_unique<TemporaryDirectory>();
        auto started = postgres::PrivateCluster::start({.directory = directory_->path() / "cluster", .fsync = false});
        if (!started) throw std::runtime_error{started.error().message};
        cluster_ = *std::move(started);
        return *cluster_;
    }

private:
    std::unique_ptr<TemporaryDirectory> directory_;
    std::unique_ptr<postgres::PrivateCluster> cluster_;
};

ClusterOfTheProgram* const environment = [] {
    auto* made = new ClusterOfTheProgram;  // googletest owns it
    ::testing::AddGlobalTestEnvironment(made);
    return made;
}();

std::string with_database(const std::string& conninfo, const std::string& name) { return conninfo + " dbname=" + name; }

}  // namespace

postgres::PrivateCluster& cluster() { return environment->get(); }

TemporaryDirectory::TemporaryDirectory() {
    std::string name = "/tmp/palimpsest-test-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error{"mkdtemp"};
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms{0755});  // Postgres, under another account, goes through it
}
TemporaryDirectory::~TemporaryDirectory() { std::filesystem::remove_all(path_); }

void Client::Finish::operator()(void* connection) const { PQfinish(static_cast<PGconn*>(connection)); }

Client::Client(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
    auto* connection = static_cast<PGconn*>(connection_.get());
    if (PQstatus(connection) != CONNECTION_OK) throw std::runtime_error{PQerrorMessage(connection)};
    PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
}

Table Client::operator()(const std::string& sql) {
    PGresult* const result = PQexec(static_cast<PGconn*>(connection_.get()), sql.c_str());
    const postgres::Rows owner{result};
    const auto status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) throw std::runtime_error{PQresultErrorMessage(result)};
    Table table(owner.size());
    for (std::size_t row = 0; row < table.size(); ++row) {
        for (int column = 0; column < PQnfields(result); ++column)
            table[row].emplace_back(owner.value(row, static_cast<std::size_t>(column)).value_or("NULL"));
    }
    return table;
}

std::string Client::sqlstate_of(const std::string& sql) {
    PGresult* const result = PQexec(static_cast<PGconn*>(connection_.get()), sql.c_str());
    const postgres::Rows owner{result};
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state ? state : "00000";
}

DatabaseTest::DatabaseTest() {
    static std::atomic<int> count = 0;
    const auto name = "test_" + std::to_string(++count);
    Client{cluster().conninfo()}("CREATE DATABASE " + name);
    conninfo = with_database(cluster().conninfo(), name);
    if (auto migrated = postgres::migrate(conninfo); !migrated) throw std::runtime_error{migrated.error().message};
}

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

}  // namespace integration

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
