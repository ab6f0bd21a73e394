#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "broker/position.hpp"
#include "protocol/message.hpp"

namespace rest {

using base::Result;
using base::Time;

/// Why an endpoint did not take something.
struct Refusal {
    int status = 0;  // HTTP's; 0: there was no answer
    int code = 0;    // Ably's
    std::string message;
    std::optional<std::chrono::milliseconds> retry_after;

    friend bool operator==(const Refusal&, const Refusal&) = default;
};
enum class Remedy : std::uint8_t {
    wait,  // it may be taken later as it is
    mend,  // … once somebody has mended the key, its capability or the endpoint's address
    none,  // never
};
Remedy remedy_of(const Refusal& refusal);
/// As a connector::Sink's caller wants it: of a status that says what is to be done about it.
base::Error error_of(const Refusal& refusal);

/// What came of each parcel of a request or, when there was no such answer, of it all.
struct Outcome {
    std::optional<Refusal> request;
    std::vector<std::optional<Refusal>> parcels;
    bool keeps_order = false;  // the endpoint says so: see PublishQueue
};

/// Changes become requests to publish: POST /messages, many channels at once and many messages to each (RSC22). No I/O, no clock;
/// shard-owned.
///
/// Messages that go together to a channel are a parcel: published whole or not at all. Its ids are `base:index` (RSL1k1), so what
/// is in it must not depend on when it was read: a parcel is of one transaction, cut by count and size, and so is the same when
/// the WAL is read again. A channel's parcels are published in order: the next one when the one before was taken. Where the
/// endpoint keeps the order within a request (`Palimpsest-Order`), several of a channel go in one.
///
/// What fails is tried again for ever; but a parcel that can never be taken is published message by message, and the message that
/// is the cause is told so.
class PublishQueue {
public:
    struct Options {
        std::size_t message_bytes_max = base::limits::message_bytes_max;  // of a parcel, by protocol::size_of
        std::size_t parcel_messages_max = 100;
        std::size_t open_messages_max =
            1'000;  // of a transaction, before its end is known: fewer than a connector may have in flight
        std::size_t open_bytes_max = 4u << 20;
        std::size_t request_parcels_max = base::limits::batch_channels_max;
        std::size_t request_bytes_max = 512u << 10;
        std::size_t requests_max = 8;  // at a time
    };
    using Done = std::move_only_function<void(Result<void>)>;

    explicit PublishQueue(Options options) : options_(options) {}

    /// A message of a change, or one from elsewhere, which is a parcel by itself. `done` is called from within this only for one
    /// that is larger than any may be.
    void add(const std::string& channel, std::optional<broker::WalPlace> place, protocol::Message message, Done done);
    /// The transaction's last change was added.
    void commit();
    /// What was not answered will be added again.
    void restart();

    struct Request {
        std::uint64_t id = 0;
        std::size_t parcels = 0, messages = 0;
        std::string body;
    };
    /// A request that may be made now.
    std::optional<Request> next(Time now);
    void answered(std::uint64_t id, Outcome outcome, Time now);
    /// When next() may have one, though nothing else happens.
    std::optional<Time> wake_at() const;

    /// What keeps us from publishing, as the last answer had it.
    const std::optional<Refusal>& trouble() const { return trouble_; }
    std::size_t size() const { return size_; }  // messages, those under way too

private:
    struct Parcel {
        std::vector<protocol::Message> messages;
        std::vector<Done> done;
        std::size_t bytes = 0;
        bool alone = false;  // in its request: to find out whether it is the cause
    };
    struct Channel {
        std::deque<Parcel> waiting;
        std::optional<Parcel> open;
        bool busy = false;
        unsigned failures = 0;
        Time not_before{};
    };
    struct Sent {
        std::string channel;
        Parcel parcel;
        bool back = false, split = false;  // to be tried again; message by message
    };
    struct Flight {
        std::vector<Sent> sent;
        std::uint64_t generation = 0;
    };
    using Told = std::vector<std::pair<Done, Result<void>>>;

    void close_all();
    void close(const std::string& name, Channel& channel);
    void take_from(const std::string& name, Channel& channel, Flight& flight, std::size_t& bytes);
    void settle_request(Flight& flight, const Refusal& refusal, Time now, Told& told);
    void settle_each(Flight& flight, const Outcome& outcome, Time now, Told& told);
    void refuse(Sent& sent, const Refusal& refusal, Told& told);
    static std::string encode(const std::vector<Sent>& sent);
    void put_back(Flight& flight);
    void put_back(Channel& channel, Sent& sent);

    Options options_;
    std::map<std::string, Channel> channels_;
    std::deque<std::string> ready_;  // channels that have something waiting and are not busy
    std::map<std::uint64_t, Flight> flights_;
    std::uint64_t next_id_ = 1, generation_ = 0, transaction_ = 0;
    std::size_t size_ = 0, open_messages_ = 0, open_bytes_ = 0;
    unsigned failures_ = 0;
    Time not_before_{};
    bool keeps_order_ = false;
    std::optional<Refusal> trouble_;
};

}  // namespace rest
