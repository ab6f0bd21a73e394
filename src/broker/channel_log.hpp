#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "base/fifo.hpp"
#include "broker/annotation_summary.hpp"
#include "broker/broker.hpp"
#include "broker/said_index.hpp"

namespace broker {

/// The last two minutes of one channel: ordered entries, and by their publishers' ids what was published before.
/// Every entry with floor < position <= tail is held, but for summaries of annotations that a later one has replaced; of what came
/// before, nothing. Shard-owned.
class ChannelLog {
public:
    /// `epoch` is the process's; `count` what it has given out so far.
    ChannelLog(std::uint64_t epoch, std::uint64_t count) : epoch_(epoch), floor_{.epoch = epoch, .count = count}, tail_(floor_) {}

    /// A draft with a place is put there, any other behind the last one, by `count` of this process, which goes up.
    /// Errors as Broker::publish.
    Result<Published> append(Draft&& draft, std::uint64_t& count, Time now);
    Replay replay(const From& from) const;
    HistoryPage history(const HistoryQuery& query) const;
    std::optional<Record> look_up(const std::string& serial) const;

    /// As Broker::adopt.
    void adopt(Record record, Time now);

    /// Only before the first entry with a place: nothing before it, and behind what a process put behind it, is held or missing.
    void start_at(const Position& position);

    /// Lets go of everything: changes are missing between it and `place`.
    void interrupt(WalPlace place);

    /// Lets go of entries from before `horizon`, and of the oldest while there are more than `bytes_max`.
    void trim(Time horizon, std::size_t bytes_max);

    Position tail() const { return tail_; }
    std::size_t bytes() const { return bytes_; }  // in memory
    bool empty() const { return entries_.empty() && adopted_.empty(); }

private:
    /// What became of a message; goes when the message goes.
    struct Revised {
        protocol::Message latest;
        std::vector<EntryPtr> changes;      // each with one message, in order
        std::vector<EntryPtr> annotations;  // in order
        AnnotationSummary summary;
        EntryPtr summed_up;                 // the entry that told it last
        std::size_t bytes = 0;              // of all this in memory, but for the entries
    };

    void drop_oldest();
    EntryPtr push(Draft&& draft, std::uint64_t& count, Time now);
    Result<Published> put_rows(Draft&& draft, std::uint64_t& count, Time now);
    bool brings(const Entry& entry, std::size_t index) const;
    std::optional<protocol::Message> created(const std::string& serial) const;
    std::optional<protocol::Message> latest(const std::string& serial) const;
    Revised& revised(const std::string& serial, protocol::Message latest);
    void add_change(const std::string& serial, protocol::Message latest, const EntryPtr& change);
    void weigh(Revised& revised);
    void drop_summary(Revised& revised);
    void forget(const std::string& serial);
    Result<Published> change(Draft&& draft, std::uint64_t& count, Time now);
    Result<Published> annotate(Draft&& draft, std::uint64_t& count, Time now);
    std::vector<protocol::Message> as_they_are(const Entry& entry) const;
    EntryPtr as_it_is(const EntryPtr& entry) const;
    EntryPtr whole(const EntryPtr& entry) const;
    bool add_to_page(const HistoryQuery& query, const Entry& entry, HistoryPage& page) const;

    std::uint64_t epoch_;
    Position floor_, tail_;
    WalPlace start_;
    base::Fifo<EntryPtr> entries_;
    SaidIndex said_;
    std::unordered_map<std::string, Revised> revised_;  // by serial: messages that were changed or annotated
    std::unordered_map<std::string, Cursor> rows_;     // by serial: the messages of rows, and where each was first told of
    base::Fifo<std::pair<Time, std::string>> adopted_;  // of those, whose messages are not held, by when they were taken up
    std::size_t bytes_ = 0;
};

}  // namespace broker
