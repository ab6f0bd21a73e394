#pragma once

#include <array>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "realtime/connection.hpp"
#include "realtime/home.hpp"

namespace realtime {

struct ConnectionKey;

using PublishDone = Home::PublishDone;
using PresenceDone = std::move_only_function<void(Result<std::vector<protocol::PresenceMessage>>)>;

/// One shard's realtime: its connections, their audiences, and the channels whose home it is. Every channel has one home
/// shard, which orders it and knows who is present; connections live where they were accepted. What concerns both travels
/// through the Mesh. Shard-owned.
class Hub {
public:
    using Clock = Home::Clock;

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
    void receive(Connection& connection, ProtocolMessage&& message);
    void refuse(Connection& connection, const protocol::Refused& refused);
    void transport_lost(Connection& connection);
    /// Its client said goodbye after its transport, of this key, had gone. Not another client: it ends nothing.
    void end_absent(const ConnectionKey& key, const auth::Identity& by);
    /// The one with this id, if it is on this shard.
    Connection* find(const std::string& id);
    /// Tokens were revoked: sees to their connections, on all shards.
    void tokens_revoked();
    /// Ends those on this shard who are `concerned`, with an ERROR.
    void end_connections(const std::function<bool(const auth::Identity&)>& concerned, const base::Error& error);

    // Channels, from any shard: `done` is called on this one. ---------------------------------------------------------------

    void publish(const std::string& address, broker::Draft&& draft, const ChannelBounds& bounds, PublishDone done);
    void history(const std::string& address, broker::HistoryQuery query, broker::HistoryDone done);
    void look_up(const std::string& address, std::string serial, bool persisted, broker::RecordDone done);
    void presence(const std::string& address, PresenceDone done);

    /// Asks a channel's home, or every shard: `question` is asked there, and `done` has what came of it here. A question holds
    /// values only, since it may end anywhere.
    template <class Answer>
    void ask_home(const std::string& address, std::function<Answer(Hub&)> question, std::move_only_function<void(Answer)> done);
    template <class Answer>
    void ask_all(std::function<Answer(Hub&)> question, std::move_only_function<void(std::vector<Answer>)> done);

    /// What this shard has counted.
    stats::Ledger& stats() { return stats_; }
    /// The channels whose home is here.
    Home& home() { return home_; }

    /// For the home of a channel: hands what it ordered to those here who listen.
    void deliver(const std::string& address, const broker::EntryPtr& entry, const Frames& frames, const broker::EntryPtr& whole = nullptr);
    void deliver(const std::string& address, const OccupancyMetrics& metrics);

    /// Something is missing on these channels: connections here that are attached to one lose their place there.
    void interrupted(const std::vector<std::string>& addresses);

    // Time. -----------------------------------------------------------------------------------------------------------------

    /// Heartbeats, expiries, retention: call so many times a second, so that what is due in a second does not come all at once.
    static constexpr std::size_t ticks_per_second = 10;
    void tick();
    /// Takes no more connections, and nothing more from those there are.
    void wind_down();
    bool winding_down() const { return winding_down_; }
    /// Was something taken from a client that it has no answer to?
    bool owes_acknowledgements() const;
    /// Tells every client to go elsewhere.
    void shut_down();

    /// Which of how many shards this is.
    std::size_t index() const { return index_; }
    std::size_t shards() const { return mesh_.size(); }
    std::size_t connections() const { return connections_.size(); }
    const ServerFacts& facts() const { return facts_; }

private:
    struct Claim;
    /// What a shard gives one who comes back for a connection: nothing, when it is not here.
    struct Released {
        std::unique_ptr<Connection> connection;
        std::optional<base::Error> refused;  // it is another client's
        bool found() const { return connection || refused; }
    };
    struct Kept;

    void carry_out(Connection& connection, Outbox& out);
    struct Hearers;
    void end_turn_soon();
    void end_turn();
    void acknowledge_soon(const Connection& connection);
    void deliver(const std::string& address, Hearers& hearers);
    void ask(Connection& connection, Request& request);
    void listen(Connection& connection, const ListenRequest& request);
    void unlisten(Connection& connection, const UnlistenRequest& request);
    void finish_connect(Claim& claim);
    void check_revoked();
    bool may_revive(const ConnectionKey& key);
    std::string new_connection_id() const;
    Released release(const ConnectionKey& key, const auth::Identity& to);
    void keep(std::unique_ptr<Connection> connection);
    void look_after(const std::string& id, Kept& kept);
    void tick_second(Time now);
    void roll_up_in_time(const Connection& connection);
    void roll_up();
    void watch_expiry(const Connection& connection);
    void tick_expired(Time now);
    void tick(Connection& connection, Time now);
    void at_home(const std::string& address, HubTask task);
    Home::Follower follower(const Connection& connection, const std::string& name, const std::string& channel, const Standing& as) const;
    void ask_to_attach(Connection& connection, AttachRequest request);

    std::size_t index_;
    Mesh& mesh_;
    const ServerFacts& facts_;
    Clock clock_;
    stats::Ledger stats_;
    Home home_;

    struct Kept {
        std::unique_ptr<Connection> connection;
        std::size_t place;          // in the wheel
        bool away = false;          // it is among those
        auth::ConnectionSlot slot;  // while it has a transport
        stats::Use use;             // likewise
    };
    std::unordered_map<std::string, Kept> connections_;
    std::vector<std::unique_ptr<Connection>> ended_;  // kept to the end of the turn: their callers may be on the stack
    /// Connections of the process before us that were taken up: for the first two minutes, by who has a key of ours.
    std::unordered_set<std::string> revived_;
    struct Hearers {
        Audience audience;
        std::vector<Delivery> undelivered;  // of this turn: told of together, and before anybody comes or goes
    };
    std::unordered_map<std::string, Hearers> hearers_;  // by channel
    /// What is left for the turn's end: channels with something undelivered, and connections whose publishes may have answers by then.
    std::vector<std::string> to_deliver_, to_acknowledge_;
    bool turn_ends_ = false;

    /// Connection ids by the tick of a round of seven seconds at which they are looked at: a timer for all, not one for each.
    static constexpr std::chrono::seconds round{7};
    std::array<std::vector<std::string>, static_cast<std::size_t>(round.count()) * ticks_per_second> wheel_;
    std::size_t tick_ = 0, next_place_ = 0;
    bool winding_down_ = false;
    /// Those without a transport are looked at every second: their grace periods end when they end.
    std::vector<std::string> away_;
    /// Those with appends that wait, by when the next leave.
    std::set<std::pair<Time, std::string>> rolling_;
    /// Those whose tokens expire within a round: they are disconnected when they do, and not at their next turn.
    std::set<std::pair<Time, std::string>> expiring_;
};

template <class Answer>
void Hub::ask_home(const std::string& address, std::function<Answer(Hub&)> question, std::move_only_function<void(Answer)> done) {
    at_home(address, [question = std::move(question), done = std::move(done), from = index_](Hub& there) mutable {
        there.mesh_.post(from, [done = std::move(done), answer = question(there)](Hub&) mutable { done(std::move(answer)); });
    });
}

template <class Answer>
void Hub::ask_all(std::function<Answer(Hub&)> question, std::move_only_function<void(std::vector<Answer>)> done) {
    struct Asking {
        std::vector<Answer> answers;
        std::move_only_function<void(std::vector<Answer>)> done;
    };
    auto asking = std::make_shared<Asking>(Asking{{}, std::move(done)});
    for (std::size_t shard = 0; shard < mesh_.size(); ++shard) {
        mesh_.post(shard, [asking, question, from = index_](Hub& there) mutable {
            // It goes back whole: what `done` holds is this shard's, and must not end on the other.
            there.mesh_.post(from, [asking = std::move(asking), answer = question(there)](Hub& here) mutable {
                asking->answers.push_back(std::move(answer));
                if (asking->answers.size() == here.mesh_.size()) asking->done(std::move(asking->answers));
            });
        });
    }
}

}  // namespace realtime
