#pragma once

#include <string>
#include <unordered_map>

#include "base/budget.hpp"
#include "base/resource_limits.hpp"
#include "broker/channel_log.hpp"

namespace broker {

/// The embedded broker: holds each channel's retention window in memory. What it holds is gone with the process, except
/// that what came from a database is read from its WAL again (D3). All its channels share a budget: a channel that outgrows its
/// share lets go of its own oldest, never of another's; with the last sixteenth of it no channels are made, for those that are
/// there. Shard-owned; answers before it returns.
class MemoryBroker final : public Broker {
public:
    struct Limits {
        std::chrono::milliseconds retention = base::limits::retention;
        std::size_t channel_bytes_max = base::limits::channel_log_bytes_max;
        std::size_t bytes_max = std::size_t{4} << 30;  // of all channels
    };

    /// `epoch`: the process's start, the same on every shard (Position::epoch).
    explicit MemoryBroker(std::uint64_t epoch) : MemoryBroker(epoch, Limits{}) {}
    MemoryBroker(std::uint64_t epoch, Limits limits) : epoch_(epoch), limits_(limits), budget_(limits.bytes_max) {}

    void publish(const std::string& address, Draft&& draft, Time now, PublishDone done) override;
    void replay(const std::string& address, From from, Time now, ReplayDone done) override;
    void history(const std::string& address, HistoryQuery query, Time now, HistoryDone done) override;
    void look_up(const std::string& address, std::string serial, Time now, RecordDone done) override;
    void start_at(const std::string& address, WalPlace place) override;
    void start_under(const std::string& prefix, WalPlace place, bool all) override;
    void interrupt(const std::string& address, bool is_prefix, WalPlace place) override;

    void adopt(const std::string& address, Record record, Time now) override;

    /// What is older than the retention window goes, and channels unused for as long.
    void sweep(Time now) override;

    std::size_t channels() const { return logs_.size(); }
    std::size_t bytes() const { return budget_.used(); }

private:
    struct Kept {
        ChannelLog log;
        Time used;
        std::size_t weight = 0;  // as the budget has it
    };
    using Logs = std::unordered_map<std::string, Kept>;
    /// What start_under() said.
    struct Under {
        std::string prefix;
        WalPlace place;
        bool all;
    };
    bool may_make(const std::string& address) const;
    ChannelLog make(const std::string& address);
    Logs::value_type& kept(const std::string& address, Time now);
    ChannelLog& log(const std::string& address, Time now) { return kept(address, now).second.log; }
    const ChannelLog* find(const std::string& address, Time now);
    void weigh(Logs::value_type& kept);
    const Under* under(const std::string& address) const;
    void rest(const std::string& address, const Position& tail);

    std::uint64_t epoch_;
    Limits limits_;
    std::uint64_t count_ = 0;  // of all channels, so that a channel let go of and made again goes on upwards
    Logs logs_;
    base::Budget budget_;
    std::vector<Under> under_;
    std::unordered_map<std::string, Position> resting_;  // the tails of channels below `under_` that have no log now
};

}  // namespace broker
