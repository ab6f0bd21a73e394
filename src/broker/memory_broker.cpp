#include "broker/memory_broker.hpp"

namespace broker {

ChannelLog& MemoryBroker::log(const std::string& address, Time now) {
    auto found = logs_.find(address);
    if (found == logs_.end()) found = logs_.emplace(address, Kept{ChannelLog{epoch_, count_}, now}).first;
    auto& kept = found->second;
    kept.used = now;
    kept.log.trim(now - limits_.retention, limits_.channel_bytes_max);
    return kept.log;
}

void MemoryBroker::publish(const std::string& address, Draft draft, Time now, PublishDone done) {
    done(log(address, now).append(std::move(draft), count_, now));
}

void MemoryBroker::replay(const std::string& address, From from, Time now, ReplayDone done) { done(log(address, now).replay(from)); }

void MemoryBroker::history(const std::string& address, HistoryQuery query, Time now, HistoryDone done) {
    done(log(address, now).history(query));
}

void MemoryBroker::look_up(const std::string& address, std::string serial, Time now, RecordDone done) {
    auto record = log(address, now).look_up(serial);
    if (!record) return done(base::fail(base::ErrorCode::not_found, "There is no such message, or it is no longer held"));
    done(*std::move(record));
}

void MemoryBroker::start_at(const std::string& address, WalPlace place) { log(address, Time::max()).start_at(place); }

void MemoryBroker::sweep(Time now) {
    for (auto each = logs_.begin(); each != logs_.end();) {
        auto& [log, used] = each->second;
        log.trim(now - limits_.retention, limits_.channel_bytes_max);
        // A client that was here may come back for as long as its connection can be resumed, which is a window at most. A
        // channel that a database feeds stays: its tail says how far subscribers have been told (start_at).
        const bool unused = log.empty() && log.tail().wal == WalPlace{} && used < now - limits_.retention;
        each = unused ? logs_.erase(each) : std::next(each);
    }
}

}  // namespace broker
