#pragma once

#include <string>
#include <unordered_map>

#include "broker/channel_log.hpp"

namespace broker {

/// The embedded broker: holds each channel's retention window in memory. What it holds is gone with the process, except
/// that what came from a database is read from its WAL again (D3). Shard-owned; answers before it returns.
class MemoryBroker final : public Broker {
public:
    struct Limits {
        std::chrono::milliseconds retention = base::limits::retention;
        std::size_t channel_bytes_max = base::limits::channel_log_bytes_max;
    };

    /// `epoch`: the process's start, the same on every shard (Position::epoch).
    explicit MemoryBroker(std::uint64_t epoch) : MemoryBroker(epoch, Limits{}) {}
    MemoryBroker(std::uint64_t epoch, Limits limits) : epoch_(epoch), limits_(limits) {}

    void publish(const std::string& address, Draft&& draft, Time now, PublishDone done) override;
    void replay(const std::string& address, From from, Time now, ReplayDone done) override;
    void history(const std::string& address, HistoryQuery query, Time now, HistoryDone done) override;
    void look_up(const std::string& address, std::string serial, Time now, RecordDone done) override;
    void start_at(const std::string& address, WalPlace place) override;
    void start_under(const std::string& prefix, WalPlace place, bool all) override;

    void adopt(const std::string& address, Record record, Time now) override { log(address, now).adopt(std::move(record), now); }

    /// What is older than the retention window goes, and channels unused for as long.
    void sweep(Time now) override;

    std::size_t channels() const { return logs_.size(); }

private:
    struct Kept {
        ChannelLog log;
        Time used;
    };
    /// What start_under() said.
    struct Under {
        std::string prefix;
        WalPlace place;
        bool all;
    };
    ChannelLog& log(const std::string& address, Time now);
    const Under* under(const std::string& address) const;
    void rest(const std::string& address, const Position& tail);

    std::uint64_t epoch_;
    Limits limits_;
    std::uint64_t count_ = 0;  // of all channels, so that a channel let go of and made again goes on upwards
    std::unordered_map<std::string, Kept> logs_;
    std::vector<Under> under_;
    std::unordered_map<std::string, Position> resting_;  // the tails of channels below `under_` that have no log now
};

}  // namespace broker
