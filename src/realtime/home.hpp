#pragma once

#include <array>
#include <deque>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/token_bucket.hpp"
#include "broker/archive.hpp"
#include "realtime/mesh.hpp"
#include "realtime/occupancy.hpp"
#include "realtime/presence_set.hpp"
#include "realtime/requests.hpp"
#include "stats/ledger.hpp"

namespace realtime {

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

/// The channels whose home one shard is: it orders their messages, knows who follows them and who is present, and hands each
/// entry to the shards that listen. Shard-owned; whoever asks from another shard comes through the Mesh.
class Home {
public:
    using Clock = Time (*)();
    using AttachDone = std::move_only_function<void(Result<Attached>)>;
    using PublishDone = std::move_only_function<void(Result<std::vector<std::string>>)>;  // the messages' serials

    /// `tap` may be null.
    Home(Hub& here, std::size_t index, Mesh& mesh, std::unique_ptr<broker::Broker> broker, Tap* tap, Clock clock);

    /// Where persisted channels are kept; outlives this. None: they are held like any other.
    void use(broker::Archive& archive) { archive_ = &archive; }

    /// One attachment, as its channel's home counts it.
    struct Follower {
        std::size_t shard;
        protocol::Format format;
        bool plain;  // it calls the channel by its plain name, and gets whole messages
        Standing as;
    };
    /// `before`: what it was when this is an attach of what is attached already. After an error it is counted all the same, until it
    /// detaches.
    void attach(const std::string& address, AttachRequest request, Follower follower, std::optional<Follower> before, AttachDone done);
    void detach(const std::string& address, const Follower& follower);

    /// Orders a MESSAGE, PRESENCE or ANNOTATION and hands it on. `done` when the publisher may be told.
    void publish(const std::string& address, broker::Draft&& draft, const ChannelBounds& bounds, PublishDone done);
    /// A connection's members leave.
    void leave(const std::string& address, const std::string& channel, const std::string& connection_id, const ChannelBounds& bounds);

    void history(const std::string& address, broker::HistoryQuery query, broker::HistoryDone done);
    void look_up(const std::string& address, std::string serial, bool persisted, broker::RecordDone done);
    std::vector<protocol::PresenceMessage> members(const std::string& address) const;
    /// Nothing when nobody follows it or is present.
    std::optional<OccupancyMetrics> occupancy(const std::string& address) const;
    /// Channels that somebody follows or is present on: of the wanted ones behind `after`, the first by name.
    struct Active {
        std::string address;
        OccupancyMetrics metrics;
    };
    std::vector<Active> active(const std::function<bool(const std::string&)>& wanted, const std::string& after,
                               std::size_t limit) const;

    /// Of channels fed by a database, by address or by what their addresses start with: until caught_up() who attaches waits, and
    /// history is refused. On any channel, who comes back with a place in the database's WAL waits.
    void fed_by_database(std::unordered_set<std::string> addresses, std::vector<std::string> prefixes = {});
    void caught_up();

    /// As broker::Broker::interrupt; whoever is attached is told of it.
    void interrupt(const std::string& address, bool is_prefix, broker::WalPlace place);

    /// Tells of changed occupancies. Call every second.
    void tick();

    broker::Broker& broker() { return *broker_; }

private:
    /// A channel while somebody follows it or is present.
    struct Channel {
        Channel(std::size_t shards, stats::Use counted) : followers(shards), use(std::move(counted)) {}

        std::vector<std::size_t> followers;            // attachments by shard
        std::array<std::size_t, 2> plain_followers{};  // of those, by format, who are plain
        std::size_t whole_followers = 0;               // and who want whole messages instead of what is appended
        PresenceSet members;
        Occupancy occupancy;
        stats::Use use;
    };

    Channel& channel(const std::string& address);
    void count(const std::string& address, Channel& channel, const Follower& follower, int change);
    void replay(const std::string& address, const AttachRequest& request, AttachDone done);
    bool rate_allows(const std::string& address, std::size_t messages, std::size_t per_second);
    bool asks_archive(const broker::Draft& draft, const ChannelBounds& bounds) const;
    void find_kept(const std::string& address);
    void order(const std::string& address, broker::Draft&& draft, const ChannelBounds& bounds, PublishDone done);
    void take_up(const std::string& address, broker::Draft draft, const ChannelBounds& bounds, PublishDone done);
    void hand_on(const std::string& address, const broker::Published& published, bool ruled, bool kept, PublishDone done);
    Result<void> apply_presence(const std::string& address, protocol::ProtocolMessage& message, const ChannelBounds& bounds);
    void fan_out(const std::string& address, const broker::EntryPtr& entry, const protocol::Message* latest = nullptr);
    void drop_if_unused(const std::string& address);
    void tell_occupancy(const std::string& address);
    bool rebuilding(const std::string& address) const;

    Hub& here_;
    std::size_t index_;
    Mesh& mesh_;
    std::unique_ptr<broker::Broker> broker_;
    Tap* tap_;
    broker::Archive* archive_ = nullptr;
    Clock clock_;

    std::unordered_map<std::string, Channel> channels_;
    std::unordered_map<std::string, base::TokenBucket> rates_;  // of channels that were published on lately, where there is a limit
    std::set<std::string> occupancy_changed_;  // channels whose occupancy somebody is to be told of

    struct Unsure {
        broker::Draft draft;
        ChannelBounds bounds;
        PublishDone done;
    };
    /// By channel, what the archive is asked for before it is ordered: one by one, so that it stays in order.
    std::unordered_map<std::string, std::deque<Unsure>> unsure_;
    std::size_t unsure_bytes_ = 0;

    std::unordered_set<std::string> fed_;
    std::vector<std::string> fed_under_;
    bool rebuilding_ = false;
    std::vector<std::move_only_function<void()>> until_caught_up_;
};

}  // namespace realtime
