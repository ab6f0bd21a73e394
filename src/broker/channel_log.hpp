#pragma once

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

#include "broker/broker.hpp"

namespace broker {

/// The last two minutes of one channel: ordered entries, and by their publishers' ids what was published before.
/// Every entry with floor < position <= tail is held; of what came before, nothing. Shard-owned.
class ChannelLog {
public:
    /// `epoch` is the process's; `count` what it has given out so far.
    ChannelLog(std::uint64_t epoch, std::uint64_t count) : epoch_(epoch), floor_{.epoch = epoch, .count = count}, tail_(floor_) {}

    /// A draft with a place is put there, any other behind the last one, by `count`: the next of this process.
    Published append(Draft draft, std::uint64_t count, Time now);
    Replay replay(const From& from) const;
    HistoryPage history(const HistoryQuery& query) const;

    /// Only before the first entry with a place.
    void start_at(WalPlace place);

    /// Lets go of entries from before `horizon`, and of the oldest while there are more than `bytes_max`.
    void trim(Time horizon, std::size_t bytes_max);

    Position tail() const { return tail_; }
    std::size_t bytes() const { return bytes_; }
    bool empty() const { return entries_.empty(); }

private:
    EntryPtr held(const std::string& key) const;
    void drop_oldest();
    void push(std::shared_ptr<Entry> entry);

    std::uint64_t epoch_;
    Position floor_, tail_;
    std::deque<EntryPtr> entries_;
    std::unordered_map<std::string, EntryPtr> by_id_;  // by publisher and first id, when the publisher chose it
    std::size_t bytes_ = 0;
};

}  // namespace broker
