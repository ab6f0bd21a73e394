#include "broker/memory_broker.hpp"

#include <algorithm>

namespace broker {

ChannelLog& MemoryBroker::log(const std::string& address, Time now) {
    auto found = logs_.find(address);
    if (found == logs_.end()) {
        found = logs_.emplace(address, Kept{ChannelLog{epoch_, count_}, now}).first;
        const auto* below = under(address);
        if (const auto known = resting_.extract(address)) found->second.log.start_at(known.mapped());
        else if (below && below->all) found->second.log.start_at({.wal = below->place});
    }
    auto& kept = found->second;
    kept.used = now;
    kept.log.trim(now - limits_.retention, limits_.channel_bytes_max);
    return kept.log;
}

void MemoryBroker::publish(const std::string& address, Draft&& draft, Time now, PublishDone done) {
    auto& log = this->log(address, now);
    if (draft.place && log.tail().wal == WalPlace{}) {
        if (const auto* below = under(address)) log.start_at({.wal = below->place});
    }
    done(log.append(std::move(draft), count_, now));
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

void MemoryBroker::start_at(const std::string& address, WalPlace place) {
    if (const auto found = logs_.find(address); found != logs_.end()) found->second.log.start_at({.wal = place});
    else if (under(address)) rest(address, {.wal = place});
    else log(address, Time::max()).start_at({.wal = place});
}

void MemoryBroker::start_under(const std::string& prefix, WalPlace place, bool all) {
    under_.push_back({prefix, place, all});
    std::ranges::sort(under_, std::ranges::greater{}, [](const Under& each) { return each.prefix.size(); });
    for (auto& [address, kept] : logs_) {
        if (all && address.starts_with(prefix) && kept.log.tail().wal == WalPlace{}) kept.log.start_at({.wal = place});
    }
}

const MemoryBroker::Under* MemoryBroker::under(const std::string& address) const {
    const auto found = std::ranges::find_if(under_, [&](const Under& each) { return address.starts_with(each.prefix); });
    return found == under_.end() ? nullptr : &*found;
}

/// Of too many the older half is forgotten: all that is known then of those is that nothing came later than what came last among them.
void MemoryBroker::rest(const std::string& address, const Position& tail) {
    resting_[address] = tail;
    if (resting_.size() <= base::limits::channel_tails_max) return;
    std::vector<WalPlace> places;
    for (const auto& [each, position] : resting_) places.push_back(position.wal);
    const auto middle = places.begin() + static_cast<std::ptrdiff_t>(places.size() / 2);
    std::ranges::nth_element(places, middle);
    for (auto& each : under_) each.place = std::max(each.place, *middle);
    std::erase_if(resting_, [&](const auto& each) { return each.second.wal <= *middle; });
}

void MemoryBroker::sweep(Time now) {
    for (auto each = logs_.begin(); each != logs_.end();) {
        auto& [log, used] = each->second;
        log.trim(now - limits_.retention, limits_.channel_bytes_max);
        // A client that was here may come back for as long as its connection can be resumed, which is a window at most. Of a
        // channel that a database feeds the tail stays: it says how far subscribers have been told (start_at).
        const bool fed = log.tail().wal != WalPlace{};
        const bool unused = log.empty() && used < now - limits_.retention && (!fed || under(each->first));
        if (unused && fed) rest(each->first, log.tail());
        each = unused ? logs_.erase(each) : std::next(each);
    }
}

}  // namespace broker
