#include "stats/report.hpp"

#include <algorithm>
#include <cmath>

#include "protocol/json_writer.hpp"

namespace stats {
namespace {

constexpr std::string_view schema = "https://schemas.ably.com/json/app-stats-0.0.5.json";  // TS12s: whose names the entries have

protocol::Number number(double value) {
    if (value == std::trunc(value)) return static_cast<std::int64_t>(value);
    return value;
}

void write(protocol::JsonWriter& out, Unit unit, Time start, const Counters& counters, const std::string& app_id, Time now) {
    const auto text = [&](std::string_view name, std::string_view value) {
        out.key(name);
        out.text(value);
    };
    const auto end = end_of(unit, start);
    out.object([&] {
        text("intervalId", interval_id(unit, start));
        text("unit", name_of(unit));
        text("schema", schema);
        text("appId", app_id);
        if (end > now) text("inProgress", second_id(now));
        out.key("entries");
        out.object([&] {
            const auto length = std::max(std::min(end, now) - start, std::chrono::milliseconds{1});
            for (const auto& [name, value] : counters.entries(length)) {
                out.key(name);
                out.number(number(value));
            }
        });
    });
}

}  // namespace

Report report(std::vector<Intervals> shards, const Query& query, std::size_t limit) {
    Report report;
    for (const auto& intervals : shards) {
        for (const auto& [start, counters] : intervals) report.intervals[start].beside(counters);
    }
    const bool more = report.intervals.size() > limit;
    while (report.intervals.size() > limit) {
        report.intervals.erase(query.forwards ? std::prev(report.intervals.end()) : report.intervals.begin());
    }
    if (more) report.next = query.forwards ? report.intervals.rbegin()->first : report.intervals.begin()->first;
    return report;
}

std::string to_json(const Report& report, const Query& query, const std::string& app_id, Time now) {
    std::string json;
    protocol::JsonWriter out{json};
    const auto write_one = [&](const auto& each) {
        out.element();
        write(out, query.unit, each.first, each.second, app_id, now);
    };
    out.array([&] {
        if (query.forwards)
            std::for_each(report.intervals.begin(), report.intervals.end(), write_one);
        else
            std::for_each(report.intervals.rbegin(), report.intervals.rend(), write_one);
    });
    return json;
}

}  // namespace stats
