#pragma once

#include <algorithm>
#include <mutex>

#include "connector/connector.hpp"
#include "postgres/lsn.hpp"
#include "postgres/migrate.hpp"
#include "support.hpp"

/// What the tests of the connector share: one that writes down what it says, and a database with a table.
namespace integration {

using broker::WalPlace;
using connector::Config;
using connector::Connector;
using connector::Feed;
using connector::State;

/// What the connector says, on a shard of its own. Its sink takes every change, keeps its answer back, or fails.
class Subject {
public:
    struct Change {
        std::string address;
        WalPlace place;
        std::string data;
        friend bool operator==(const Change&, const Change&) = default;
    };
    using Done = std::move_only_function<void(base::Result<void>)>;
    using Judge = std::function<base::Result<void>(const Change&)>;

    explicit Subject(Config config, Judge judge = {}) : judge_(std::move(judge)) {
        shard_.start();
        shard_.call([&] { connector_ = std::make_unique<Connector>(shard_.io(), std::move(config), events()); });
    }
    ~Subject() { end(); }
    /// Ends the connector; what it has said stays.
    void end() {
        shard_.call([&] { connector_.reset(); });
    }

    /// `read(subject)` on the shard.
    template <class Read>
    auto on_shard(Read read) {
        std::invoke_result_t<Read> result{};
        shard_.call([&] { result = read(); });
        return result;
    }
    /// The changes, and their messages, as they would go out.
    std::vector<broker::Draft> drafts() {
        return on_shard([&] { return drafts_; });
    }
    std::vector<protocol::Message> messages() {
        std::vector<protocol::Message> all;
        for (const auto& draft : drafts()) std::ranges::copy(draft.message.messages, std::back_inserter(all));
        return all;
    }
    connector::Status status() {
        return on_shard([&] { return connector_->status(); });
    }
    void reconfigure(std::vector<Feed> feeds) {
        shard_.call([&] { connector_->reconfigure(std::move(feeds)); });
    }

    std::vector<Change> changes() {
        return on_shard([&] { return changes_; });
    }
    std::vector<std::string> data() {
        std::vector<std::string> all;
        for (const auto& change : changes()) all.push_back(change.data);
        return all;
    }
    bool waits_for(std::size_t count) {
        return eventually([&] { return on_shard([&] { return changes_.size() >= count; }); });
    }
    bool waits_for(State state) {
        return eventually([&] { return on_shard([&] { return state_ == state; }); });
    }
    bool waits_for_reason(const std::string& part) {
        return eventually([&] { return on_shard([&] { return state_ != State::streaming && reason_.contains(part); }); });
    }
    bool waits_until_caught_up() {
        return eventually([&] { return on_shard([&] { return caught_up_ > 0; }); });
    }
    int times_caught_up() {
        return on_shard([&] { return caught_up_; });
    }
    std::string reason() {
        return on_shard([&] { return reason_; });
    }
    std::map<std::string, WalPlace> starts() {
        return on_shard([&] { return starts_; });
    }
    std::map<std::string, std::pair<WalPlace, bool>> starts_under() {
        return on_shard([&] { return starts_under_; });
    }
    std::map<std::string, WalPlace> gaps() {
        return on_shard([&] { return gaps_; });
    }
    void hold() {
        shard_.call([&] { holding_ = true; });
    }
    void release() {
        shard_.call([&] {
            holding_ = false;
            for (auto& done : std::exchange(held_, {})) done({});
        });
    }

private:
    connector::Events events() {
        return {.sink = [this](const std::string& address, broker::Draft draft,
                               Done done) { take(address, std::move(draft), std::move(done)); },
                .on_start = [this](const std::string& address,
                                   WalPlace place) { EXPECT_TRUE(starts_.emplace(address, place).second) << "twice"; },
                .on_start_under = [this](const std::string& prefix, WalPlace place, bool all) { starts_under_[prefix] = {place, all}; },
                .on_gap = [this](const std::string& address, bool, WalPlace place) { gaps_[address] = place; },
                .on_caught_up = [this] { ++caught_up_; },
                .on_state =
                    [this](State state, const std::string& reason) {
                        state_ = state;
                        reason_ = reason;
                    }};
    }
    void take(const std::string& address, broker::Draft draft, Done done) {
        const auto& message = draft.message.messages.at(0);
        const bool is_known = std::ranges::any_of(starts_under_, [&](const auto& each) { return address.starts_with(each.first); });
        EXPECT_TRUE(starts_.contains(address) || is_known) << "a change before its channel's start";
        EXPECT_TRUE(message.id.starts_with(to_id(*draft.place)));
        Change change{address, *draft.place, std::get<std::string>(message.data)};
        if (judge_) {
            if (auto verdict = judge_(change); !verdict) return done(verdict);
        }
        changes_.push_back(std::move(change));
        drafts_.push_back(std::move(draft));
        if (holding_) held_.push_back(std::move(done));
        else shard_.post([done = std::move(done)]() mutable { done({}); });
    }

    net::Shard shard_{"connector"};
    std::vector<Change> changes_;
    std::vector<broker::Draft> drafts_;
    std::map<std::string, WalPlace> starts_, gaps_;
    std::map<std::string, std::pair<WalPlace, bool>> starts_under_;
    Judge judge_;
    bool holding_ = false;
    std::vector<Done> held_;
    int caught_up_ = 0;
    State state_ = State::down;
    std::string reason_;
    std::unique_ptr<Connector> connector_;
};

class ConnectorTest : public DatabaseTest {
protected:
    ConnectorTest() : client(conninfo) {
        client("CREATE TABLE note (id int PRIMARY KEY, body text)");
        client("ALTER TABLE note REPLICA IDENTITY FULL");
    }
    ~ConnectorTest() override {
        // A slot is the cluster's, and holds back the WAL of every test behind this one.
        eventually([&] { return Client{conninfo}("SELECT 1 FROM pg_replication_slots WHERE active").empty(); });
        Client{conninfo}("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    }
    Config config(std::chrono::milliseconds confirm_after = 1h) const {
        return {.conninfo = conninfo,
                .app_id = "app",
                .feeds = {{.table = "note", .channel = "notes"}},
                .confirm_after = confirm_after};
    }
    static std::string note(std::string_view type, int id, std::string_view body) {
        return fmt::format(R"({{"table":"note","type":"{}","row":{{"id":{},"body":"{}"}}}})", type, id, body);
    }
    postgres::Lsn confirmed() {
        return *postgres::parse_lsn(Client{conninfo}("SELECT confirmed_flush_lsn FROM pg_replication_slots").at(0).at(0));
    }
    postgres::Lsn end_of_wal() { return *postgres::parse_lsn(Client{conninfo}("SELECT pg_current_wal_flush_lsn()").at(0).at(0)); }
    /// Once the connector is ready for it, so that it is published.
    void wait_until_ready(Subject& subject) { ASSERT_TRUE(subject.waits_for(State::streaming)) << subject.reason(); }

    Client client;
};

using Texts = std::vector<std::string>;

}  // namespace integration
