#pragma once

#include <string>
#include <vector>

#include "broker/broker.hpp"
#include "connector/change.hpp"
#include "connector/channel_template.hpp"
#include "connector/config.hpp"
#include "protocol/message.hpp"

namespace connector {

/// Where a change was committed.
struct Committed {
    broker::WalPlace place;
    std::int64_t time_us = 0;  // since 1970
    std::uint32_t xid = 0;
    std::int64_t time_ms() const { return time_us / 1'000; }
};

/// What one channel is told of a change.
struct Told {
    std::string channel;
    std::vector<protocol::Message> messages;
    bool rows = false;  // as of broker::Draft

    std::size_t bytes() const;
};
/// As it is handed to the sink.
broker::Draft draft_of(Told told, const Committed& committed);

/// One feed of a relation as the stream describes it: makes messages of its changes. A row that an UPDATE moves, to another channel or,
/// where rows are messages, to another key, is told as a DELETE where it was and an INSERT where it is.
class Feeding {
public:
    /// `key` are the columns of the table's primary key. `name` is what messages are called. Error: internal_error, when the feed needs
    /// columns that the relation does not have.
    static base::Result<Feeding> make(const Feed& feed, std::string name, const Relation& relation, const std::vector<std::string>& key);

    /// At most one each for two channels; none for an operation that is not fed. Errors: invalid_channel_name, when a row's values make
    /// none; internal_error, when the change does not fit the relation.
    base::Result<std::vector<Told>> tell(const postgres::pgoutput::Insert& change, const Committed& committed) const;
    base::Result<std::vector<Told>> tell(const postgres::pgoutput::Update& change, const Committed& committed) const;
    base::Result<std::vector<Told>> tell(const postgres::pgoutput::Delete& change, const Committed& committed) const;
    /// Nothing where deletes are not fed, where rows are messages, and where rows name the channel.
    std::optional<Told> truncated(const Committed& committed) const;

private:
    using Tuple = postgres::pgoutput::Tuple;
    using Values = std::vector<std::optional<std::string_view>>;
    /// Which message of which channel a row is.
    struct Address {
        std::string channel, serial;
        friend bool operator==(const Address&, const Address&) = default;
    };

    bool fits(const Tuple& row) const;
    base::Result<Address> address_of(const Tuple& row, const Tuple* otherwise, bool key_only = false) const;
    Tuple fed(const Tuple& row) const;
    template <class Change>
    base::Result<protocol::Message> message_of(const Change& change, const std::string& serial, const Committed& committed) const;

    Feed feed_;
    std::string name_;
    ChannelTemplate channel_;
    Relation whole_, relation_;         // as it is, and what of it is fed
    std::vector<std::size_t> columns_;  // of `whole_`: those of `relation_`
    std::vector<std::size_t> channel_columns_, key_columns_;
};

}  // namespace connector
