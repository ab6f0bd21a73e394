#include "broker/memory_broker.hpp"

#include <algorithm>

namespace broker {

bool MemoryBroker::may_make(const std::string& address) const {
    return budget_.left() > budget_.total() / 16 || logs_.contains(address);
}

ChannelLog MemoryBroker::make(const std::string& address) {
    ChannelLog log{epoch_, count_};
    const auto* below = under(address);
    if (const auto known = resting_.extract(address)) log.start_at(known.mapped());
    else if (below && below->all) log.start_at({.wal = below->place});
    return log;
}

MemoryBroker::Logs::value_type& MemoryBroker::kept(const std::string& address, Time now) {
    auto found = logs_.find(address);
    if (found == logs_.end()) found = logs_.emplace(address, Kept{make(address), now}).first;
    auto& kept = found->second;
    kept.used = now;
    kept.log.trim(now - limits_.retention, std::min(limits_.channel_bytes_max, budget_.share()));
    weigh(*found);
    return *found;
}

/// Null when there is none: to ask for what is not there makes nothing.
const ChannelLog* MemoryBroker::find(const std::string& address, Time now) {
    return logs_.contains(address) ? &log(address, now) : nullptr;
}

void MemoryBroker::weigh(Logs::value_type& each) {
    auto& [address, kept] = each;
    budget_.give_back(kept.weight);
    kept.weight = base::limits::channel_log_overhead_bytes + 2 * address.size() + kept.log.bytes();
    budget_.take(kept.weight);
}

void MemoryBroker::publish(const std::string& address, Draft&& draft, Time now, PublishDone done) {
    if (!draft.place && !may_make(address)) {
        return done(base::fail(base::ErrorCode::rate_limit_exceeded,
                               "Limit of the channels' logs reached ({} bytes, of limits.memory_bytes); no channels are made for now",
                               budget_.total()));
    }
    auto& kept = this->kept(address, now);
    auto& log = kept.second.log;
    if (draft.place && log.tail().wal == WalPlace{}) {
        if (const auto* below = under(address)) log.start_at({.wal = below->place});
    }
    auto published = log.append(std::move(draft), count_, now);
    weigh(kept);
    done(std::move(published));
}

/// With no room for one more channel, one that holds nothing is looked at and not kept.
void MemoryBroker::replay(const std::string& address, From from, Time now, ReplayDone done) {
    if (may_make(address)) return done(log(address, now).replay(from));
    const auto rests = resting_.find(address);
    const auto tail = rests == resting_.end() ? std::nullopt : std::optional{rests->second};
    done(make(address).replay(from));
    if (tail) rest(address, *tail);
}

void MemoryBroker::history(const std::string& address, HistoryQuery query, Time now, HistoryDone done) {
    const auto* log = find(address, now);
    done(log ? log->history(query) : HistoryPage{});
}

void MemoryBroker::look_up(const std::string& address, std::string serial, Time now, RecordDone done) {
    const auto* log = find(address, now);
    auto record = log ? log->look_up(serial) : std::nullopt;
    if (!record) return done(base::fail(base::ErrorCode::not_found, "There is no such message, or it is no longer held"));
    done(*std::move(record));
}

void MemoryBroker::adopt(const std::string& address, Record record, Time now) {
    auto& kept = this->kept(address, now);
    kept.second.log.adopt(std::move(record), now);
    weigh(kept);
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

void MemoryBroker::interrupt(const std::string& address, bool is_prefix, WalPlace place) {
    const auto is_meant = [&](const std::string& each) { return is_prefix ? each.starts_with(address) : each == address; };
    for (auto& under : under_) {
        if (is_prefix && under.prefix == address) under.place = std::max(under.place, place);
    }
    for (auto& [each, tail] : resting_) {
        if (is_meant(each) && tail.wal < place) tail = {.wal = place};
    }
    for (auto& each : logs_) {
        if (!is_meant(each.first)) continue;
        each.second.log.interrupt(place);
        weigh(each);
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
        auto& [log, used, weight] = each->second;
        log.trim(now - limits_.retention, limits_.channel_bytes_max);
        weigh(*each);
        // A client that was here may come back for as long as its connection can be resumed, which is a window at most. Of a
        // channel that a database feeds the tail stays: it says how far subscribers have been told (start_at).
        const bool fed = log.tail().wal != WalPlace{};
        const bool unused = log.empty() && used < now - limits_.retention && (!fed || under(each->first));
        if (unused && fed) rest(each->first, log.tail());
        if (unused) budget_.give_back(weight);
        each = unused ? logs_.erase(each) : std::next(each);
    }
}

}  // namespace broker
