#include "stats/ledger.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace stats {

namespace {

namespace limits = base::limits;
constexpr std::array kept_max{limits::stats_minutes_max, limits::stats_hours_max, limits::stats_days_max,
                              limits::stats_months_max};  // by Unit

}  // namespace

Ledger::App& Ledger::app(std::string_view app_id) {
    if (const auto found = apps_.find(app_id); found != apps_.end()) return found->second;
    return apps_.emplace(std::string{app_id}, App{.minute = {}, .since = clock_(), .over = {}}).first->second;
}

/// Counts how long the levels have been as they are.
void Ledger::settle(const App& app, Counters& minute, Time now) {
    for (const auto resource : all_resources) {
        const auto level = app.levels[static_cast<std::size_t>(resource)];
        minute.change(resource, level, level, now - app.since);
    }
}

void Ledger::change(const std::string& app_id, Resource resource, std::int64_t by) {
    if (by < 0 && !apps_.contains(app_id)) return;  // it was forgotten meanwhile
    auto& app = this->app(app_id);
    auto& level = app.levels[static_cast<std::size_t>(resource)];
    if (by < 0 && level == 0) return;
    const auto now = clock_();
    settle(app, app.minute, now);
    app.since = now;
    if (by > 0) app.minute.opened(resource);
    level += by;
    app.minute.change(resource, level, level, {});
}

void Ledger::tick() {
    const auto now = clock_();
    while (end_of(Unit::minute, minute_) <= now) {
        const auto end = end_of(Unit::minute, minute_);
        const bool clock_was_set = now - end > std::chrono::hours{1};
        const auto next = clock_was_set ? start_of(Unit::minute, now) : end;
        for (auto& [id, app] : apps_) {
            settle(app, app.minute, end);
            app.since = next;
            add(app, minute_, std::exchange(app.minute, {}));
            for (const auto resource : all_resources) app.minute.begin(resource, app.levels[static_cast<std::size_t>(resource)]);
        }
        minute_ = next;
    }
}

void Ledger::add(App& app, Time minute, const Counters& counters) {
    for (const auto unit : all_units) {
        auto& intervals = app.over[static_cast<std::size_t>(unit)];
        const auto start = start_of(unit, minute);
        // Where there is nothing there is no interval, but a minute of nothing is the least of an hour that had something.
        if (counters.empty() && !intervals.contains(start)) continue;
        intervals[start].then(counters);
        if (intervals.size() > kept_max[static_cast<std::size_t>(unit)]) intervals.erase(intervals.begin());
    }
}

void Ledger::add(const std::string& app_id, Time minute, const Counters& counters) { add(app(app_id), minute, counters); }

Intervals Ledger::read(const std::string& app_id, const Query& query) const {
    const auto found = apps_.find(app_id);
    if (found == apps_.end()) return {};
    const auto& app = found->second;
    auto intervals = app.over[static_cast<std::size_t>(query.unit)];
    auto minute = app.minute;
    settle(app, minute, clock_());
    if (!minute.empty()) intervals[start_of(query.unit, minute_)].then(minute);
    const auto wanted = [&](Time start) {
        if (query.start && start < start_of(query.unit, *query.start)) return false;
        if (query.after && (query.forwards ? start <= *query.after : start >= *query.after)) return false;
        return !query.end || start <= *query.end;
    };
    std::erase_if(intervals, [&](const auto& each) { return !wanted(each.first); });
    while (intervals.size() > query.limit) intervals.erase(query.forwards ? std::prev(intervals.end()) : intervals.begin());
    return intervals;
}

}  // namespace stats
