#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/shard.hpp"
#include "postgres/private_cluster.hpp"

/// What the integration tests share: a cluster for the program, a database for each test, and a blocking client.
namespace integration {

using namespace std::chrono_literals;

/// The program's own Postgres, started before its first test and removed after its last.
postgres::PrivateCluster& cluster();

/// A directory that is gone with the object.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

using Table = std::vector<std::vector<std::string>>;  // NULL is "NULL"

/// A client as simple as psql. A statement that fails fails the test.
class Client {
public:
    explicit Client(const std::string& conninfo);
    Table operator()(const std::string& sql);
    /// The SQLSTATE it failed with; "00000" when it did not.
    std::string sqlstate_of(const std::string& sql);

private:
    struct Finish {
        void operator()(void* connection) const;
    };
    std::unique_ptr<void, Finish> connection_;
};

/// A new database with our schema, on cluster().
class DatabaseTest : public ::testing::Test {
protected:
    DatabaseTest();
    Table sql(const std::string& text) { return Client{conninfo}(text); }
    std::string conninfo;
};

/// Waits until it is so; false when it is not within half a minute.
bool eventually(const std::function<bool()>& condition);

/// Runs `start(done)` on the shard and waits for what is given to `done`.
template <class T>
T wait_for(net::Shard& shard, std::move_only_function<void(std::move_only_function<void(T)>)> start) {
    std::promise<T> promise;
    auto future = promise.get_future();
    shard.post([&] { start([promise = std::move(promise)](T value) mutable { promise.set_value(std::move(value)); }); });
    if (future.wait_for(30s) != std::future_status::ready) throw std::runtime_error{"no answer within half a minute"};
    return future.get();
}

}  // namespace integration
