#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>

#include "auth/token.hpp"
#include "base/memory.hpp"
#include "base/token_bucket.hpp"
#include "broker/broker.hpp"
#include "protocol/channel_name.hpp"
#include "protocol/codec.hpp"
#include "protocol/message.hpp"
#include "realtime/acknowledgements.hpp"
#include "realtime/rollup.hpp"

/// The product's state machine: one client's session (RTN), without a socket and without a clock of its own. Protocol
/// messages, answers and time go in; what is to be done comes out in an Outbox. Hub carries it out.
namespace realtime {

using base::ErrorCode;
using protocol::Action;
using protocol::ProtocolMessage;

/// One connection's side of a channel (RTL4).
struct Attachment {
    std::string channel;
    std::uint64_t number = 0;   // of the try that is under way or went well
    bool attached = false;      // otherwise: waiting for the home shard's first answer
    std::int64_t asked = 0;     // modes that the client wants, granted or not
    std::int64_t modes = 0;     // granted; those of a re-attach, which `counted` has, count from its answer on
    Standing counted;           // what the channel's home was told
    std::map<std::string, std::string> params;
    std::string occupancy;      // what it is told of: a category, or nothing
    FilterPtr filter;           // what its name asks for
    Audience::Seat seat;
};

/// What all connections of a server share. Immutable.
struct ServerFacts {
    const auth::Apps& apps;
    std::string server_id;
    std::string connection_secret;  // signs connectionKeys
    std::uint64_t epoch = 0;        // the process's start in ms
    base::MemoryWatch* memory = nullptr;  // null: any amount of it

    /// Is so much memory used that this is not done any more? See docs/decisions/0015.
    bool sheds(base::Pressure step) const { return memory && memory->at_least(step); }
};

/// Shard-owned; moves to another shard as a whole when its client resumes there.
class Connection {
public:
    struct Options {
        protocol::Format format = protocol::Format::json;
        bool echo = true;        // RTC1a
        bool heartbeats = true;  // RTN23b: the client wants HEARTBEAT frames; otherwise pings of the transport do
        std::chrono::milliseconds presence_grace = base::limits::presence_grace;  // transport param remainPresentFor
        std::chrono::milliseconds append_window{0};  // transport param appendRollupWindow
    };
    /// `revived`: a process before this one had it.
    Connection(const ServerFacts& facts, std::string id, bool revived = false);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// A transport has come up: CONNECTED goes out (RTN4b, RTN15c6). `resume_failed` is told along (RTN15c7).
    void connected(Transport& transport, auth::Identity identity, Options options, std::optional<base::Error> resume_failed,
                   Time now, Outbox& out);
    void receive(ProtocolMessage&& message, Time now, Outbox& out);
    /// A frame could not be taken. The client is told where it waits for an answer: by a NACK of the msgSerial, or by an ERROR of the
    /// channel. Without either, it is an ERROR of the connection, and its end (RTN15i).
    void refuse(const protocol::Refused& refused, Outbox& out);
    void on_attached(const std::string& name, std::uint64_t number, Result<Attached> answer, Outbox& out);
    void on_members(const std::string& name, std::vector<protocol::PresenceMessage> members, Outbox& out);
    void on_published(std::int64_t msg_serial, Result<std::vector<std::string>> serials, Outbox& out);
    /// Appends that wait leave when their window ends: call this then.
    void roll_up(Time now, Outbox& out);
    std::optional<Time> next_roll_up() const { return rollup_.next_end(); }
    /// Tells the client of the publishes that have answers: called after a while of them, so that many take one ACK.
    void acknowledge(Outbox& out) { acknowledgements_.send(out); }
    /// The transport is gone without a goodbye: attachments end, members and the right to resume stay for a while.
    void transport_lost(Time now, Outbox& out);
    /// Something is missing on these channels: its attachments there lose their place.
    void interrupted(const std::unordered_set<std::string>& addresses, Outbox& out);
    /// Tokens were revoked: perhaps its own. With time left it is asked for another one, otherwise it is disconnected.
    void check_revoked(Time now, Outbox& out);
    /// Heartbeats, token expiry, the end of the grace periods. Call every few seconds.
    void tick(Time now, Outbox& out);
    /// The server is to go down: nothing more is taken from the client, and what was is acknowledged yet.
    void wind_down() { winding_down_ = true; }
    /// The server goes down: the client is to go elsewhere (RTN15h3).
    void shut_down(Outbox& out);

    const std::string& id() const { return id_; }
    const std::string& key_nonce() const { return key_nonce_; }  // of the key that the transport's client was given
    const auth::Identity& identity() const { return identity_; }
    Transport* transport() const { return transport_; }
    protocol::Format format() const { return options_.format; }
    bool echo() const { return options_.echo; }
    /// Is the client not to publish more before something of it is acknowledged, or at all?
    bool congested() const { return winding_down_ || acknowledgements_.size() >= base::limits::publishes_in_flight_max; }
    bool owes_acknowledgements() const { return transport_ && acknowledgements_.size() > 0; }
    Attachment* attachment(const std::string& name);

    /// How channels are known beyond their app: `appId/channel`.
    std::string address(const std::string& channel) const { return identity_.app_id() + "/" + channel; }

private:
    void on_attach(ProtocolMessage& message, Time now, Outbox& out);
    void on_detach(const ProtocolMessage& message, Outbox& out);
    void detach(const std::string& name, Outbox& out);
    void on_message(ProtocolMessage& message, Time now, Outbox& out);
    void on_annotation(ProtocolMessage& message, Outbox& out);
    void on_object(const ProtocolMessage& message, Outbox& out);
    void on_presence(ProtocolMessage& message, Outbox& out);
    void on_sync(const ProtocolMessage& message, Outbox& out);
    void on_auth(const ProtocolMessage& message, Time now, Outbox& out);
    void on_close(Outbox& out);

    void ask_to_attach(const std::string& name, Attachment& attachment, const Standing& as, const broker::From& from, bool known,
                       Outbox& out);
    void grant_more(const std::string& name, Attachment& attachment, std::int64_t granted, Outbox& out);
    void tell_positions(Time now, Outbox& out);
    std::int64_t modes_allowed(std::string_view name) const;
    Result<void> check_mode(const protocol::ChannelName& name, std::int64_t mode) const;
    Result<void> check_presence(ProtocolMessage& message) const;
    static Result<void> check_params(const ProtocolMessage& message);
    Result<void> check_rate(const ProtocolMessage& message, Time now);
    Result<void> check_token_rate(const ProtocolMessage& message, Time now);
    void publish(std::int64_t msg_serial, Result<broker::Draft>&& draft, Outbox& out, std::optional<Time> may_wait = {});
    void leave(Rollup::Out&& leaving, Outbox& out);
    void flush_rollup(Outbox& out);
    LastSent send_replayed(const std::string& name, const Attachment& attachment, const std::vector<broker::EntryPtr>& entries,
                           Outbox& out) const;
    void send_sync(const std::string& name, std::vector<protocol::PresenceMessage> members, Outbox& out);
    void take_on(auth::Identity identity, Time now);
    void send_connected(std::optional<base::Error> error, Outbox& out);
    void refuse(const ProtocolMessage& message, base::Error error, Outbox& out);
    void end(const base::Error& error, Outbox& out);
    void refuse_channel(const std::string& name, const base::Error& error, Outbox& out);
    static void drop_attachment(const std::string& name, const Attachment& attachment, Outbox& out);
    void drop_attachments(Outbox& out);
    void drop_transport(const base::Error& error, Outbox& out);
    void leave_everywhere(Outbox& out);
    void leave_unattached(const std::string& channel, Outbox& out);
    void end(Outbox& out);

    const ServerFacts& facts_;
    std::string id_, key_nonce_;
    bool revived_;
    auth::Identity identity_;
    Options options_;
    Transport* transport_ = nullptr;

    std::map<std::string, Attachment> attachments_;  // by the client's name for the channel
    std::uint64_t attach_number_ = 0, sync_number_ = 0;
    Acknowledgements acknowledgements_;
    Rollup rollup_;
    std::map<std::int64_t, std::vector<std::int64_t>> rolled_;  // by the first msgSerial of what left as one: those of the others
    std::map<std::int64_t, std::int64_t> rolled_into_;          // of those, the first: what is sent again is known by it (RTN19a)
    base::TokenBucket inbound_;
    std::map<std::string, base::TokenBucket> publish_rates_;  // by channel, where the token limits it; see check_token_rate()
    std::map<std::string, std::set<std::string>> present_;  // channel → clientIds it entered there
    std::optional<Time> lost_;                              // when the transport went
    std::optional<Time> told_positions_;                    // see tell_positions()
    std::optional<Time> heard_;                             // when a tick last found that the client was
    bool asked_to_authorise_ = false, winding_down_ = false;
    std::optional<Time> ask_from_;                          // when the client is to renew its token
    std::optional<Time> revoked_from_;                      // when its token ends before it expires
};

}  // namespace realtime
