#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "realtime/connection.hpp"
#include "realtime/presence_set.hpp"

namespace realtime {

class Hub;
struct ConnectionKey;
using HubTask = std::move_only_function<void(Hub&)>;

/// The way between shards: FIFO from each shard to each other. net::Shard::post in the product; a queue in tests.
class Mesh {
public:
    virtual ~Mesh() = default;
    virtual std::size_t size() const = 0;
    virtual void post(std::size_t shard, HubTask task) = 0;
};

/// What is done with a channel's messages besides fan-out: the rules. One per shard, called for channels whose home it is.
class Tap {
public:
    virtual ~Tap() = default;
    /// The hub it works for: called once, before anything else.
    virtual void join(Hub& hub) = 0;
    /// Before a publish is ordered: an error refuses it, as when a queue is full.
    virtual Result<void> admit(const std::string& address) = 0;
    /// Ordered messages, in order. `handled` is called once, on this shard, when the publisher may be told: at once when
    /// nothing is to be done. `duplicate`: it was published before, and may be in hand or done by now.
    using Handled = std::move_only_function<void(Result<void>)>;
    virtual void take(const std::string& address, const broker::EntryPtr& entry, bool duplicate, Handled handled) = 0;
};

using PublishDone = std::move_only_function<void(Result<std::vector<std::string>>)>;  // the messages' serials
using PresenceDone = std::move_only_function<void(Result<std::vector<protocol::PresenceMessage>>)>;

/// The shard, of so many, on which a channel lives.
inline std::size_t home_of(const std::string& address, std::size_t shards) { return std::hash<std::string>{}(address) % shards; }

/// One shard's realtime: its connections, their audiences, and the channels whose home it is. Every channel has one home
/// shard, which orders it and knows who is present; connections live where they were accepted. What concerns both travels
/// through the Mesh. Shard-owned.
class Hub {
public:
    using Clock = Time (*)();

    /// `tap` may be null.
    Hub(std::size_t index, Mesh& mesh, const ServerFacts& facts, std::unique_ptr<broker::Broker> broker, Tap* tap, Clock clock = base::now);
    ~Hub();

    // Connections. ----------------------------------------------------------------------------------------------------

    struct ConnectRequest {
        auth::Identity identity;
        Connection::Options options;
        std::string resume_key;  // of `resume` or `recover`; empty: a new connection
    };
    /// Opens or resumes a connection; `done` has it once CONNECTED is queued, or the reason why not. Not called when the
    /// transport is gone by then.
    void connect(ConnectRequest request, std::weak_ptr<Transport> transport, std::move_only_function<void(Result<Connection*>)> done);
    void receive(Connection& connection, ProtocolMessage message);
    void refuse(Connection& connection, const base::Error& error);
    void transport_lost(Connection& connection);

    // Channels, from any shard: `done` is called on this one. ---------------------------------------------------------------

    void publish(const std::string& address, broker::Draft draft, PublishDone done);
    void history(const std::string& address, broker::HistoryQuery query, broker::HistoryDone done);
    void presence(const std::string& address, PresenceDone done);

    // What a database feeds (D3). -------------------------------------------------------------------------------------------

    /// These channels have their recent history read from the WAL before they are attached to or read: until caught_up().
    void fed_by_database(std::unordered_set<std::string> addresses);
    void start_at(const std::string& address, broker::WalPlace place);
    void caught_up();

    // Time. -----------------------------------------------------------------------------------------------------------------

    /// Heartbeats, expiries, retention: call every second.
    void tick();
    /// Tells every client to go elsewhere.
    void shut_down();

    std::size_t connections() const { return connections_.size(); }
    broker::Broker& broker() { return *broker_; }
    const ServerFacts& facts() const { return facts_; }

private:
    /// A channel on its home shard while somebody follows it or is present.
    struct Channel {
        std::vector<std::size_t> followers;            // attachments by shard
        std::array<std::size_t, 2> plain_followers{};  // of those, by format, who call it by its plain name
        PresenceSet members;
    };
    struct Follower {
        std::size_t shard;
        protocol::Format format;
        bool plain;
    };
    struct Claim;

    void carry_out(Connection& connection, Outbox& out);
    void ask(Connection& connection, Request& request);
    void listen(Connection& connection, const std::string& name);
    void unlisten(Connection& connection, const UnlistenRequest& request);
    void finish_connect(Claim& claim);
    bool may_revive(const ConnectionKey& key);
    std::unique_ptr<Connection> release(const std::string& id);
    void keep(std::unique_ptr<Connection> connection);
    void tick(Connection& connection, Time now);
    Connection* find(const std::string& id);
    void at_home(const std::string& address, HubTask task);

    // On the home shard.
    void attach(const std::string& address, AttachRequest request, Follower follower, std::move_only_function<void(Result<Attached>)> done);
    void replay(const std::string& address, const AttachRequest& request, std::move_only_function<void(Result<Attached>)> done);
    void detach(const std::string& address, Follower follower);
    void order(const std::string& address, broker::Draft draft, PublishDone done);
    void leave(const std::string& address, const std::string& channel, const std::string& connection_id);
    void fan_out(const std::string& address, const broker::EntryPtr& entry);
    void drop_if_unused(const std::string& address);
    bool rebuilding(const std::string& address) const { return rebuilding_ && fed_.contains(address); }

    // On each shard that listens.
    void deliver(const std::string& address, const broker::EntryPtr& entry, const Frames& frames);

    std::size_t index_;
    Mesh& mesh_;
    const ServerFacts& facts_;
    std::unique_ptr<broker::Broker> broker_;
    Tap* tap_;
    Clock clock_;

    struct Kept {
        std::unique_ptr<Connection> connection;
        std::size_t second;  // its place in the wheel
    };
    std::unordered_map<std::string, Kept> connections_;
    std::vector<std::unique_ptr<Connection>> ended_;  // kept to the end of the turn: their callers may be on the stack
    /// Connections of the process before us that were taken up: for the first two minutes, by who has a key of ours.
    std::unordered_set<std::string> revived_;
    std::unordered_map<std::string, Audience> audiences_;
    std::unordered_map<std::string, Channel> channels_;

    std::unordered_set<std::string> fed_;
    bool rebuilding_ = false;
    std::vector<std::move_only_function<void()>> until_caught_up_;

    /// Connection ids by the second of the round in which they are looked at: a timer for all, not one for each.
    std::array<std::vector<std::string>, 7> wheel_;
    std::size_t second_ = 0;
    /// Those without a transport are looked at every second: their grace periods end when they end.
    std::vector<std::string> away_;
};

}  // namespace realtime
