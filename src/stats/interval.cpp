#include "stats/interval.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace stats {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 4> names{"minute", "hour", "day", "month"};
constexpr std::array<std::size_t, 4> id_sizes{16, 13, 10, 7};  // all are beginnings of the longest

year_month_day date_of(Time time) { return {floor<days>(time)}; }

}  // namespace

std::string_view name_of(Unit unit) { return names[static_cast<std::size_t>(unit)]; }

std::optional<Unit> parse_unit(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Unit>(found - names.begin());
}

Time start_of(Unit unit, Time time) {
    switch (unit) {
        case Unit::minute: return floor<minutes>(time);
        case Unit::hour: return floor<hours>(time);
        case Unit::day: return floor<days>(time);
        case Unit::month: return sys_days{date_of(time).year() / date_of(time).month() / 1};
    }
    return time;
}

Time end_of(Unit unit, Time time) {
    const auto start = start_of(unit, time);
    switch (unit) {
        case Unit::minute: return start + minutes{1};
        case Unit::hour: return start + hours{1};
        case Unit::day: return start + days{1};
        case Unit::month: {
            const auto next = year_month{date_of(start).year(), date_of(start).month()} + months{1};
            return sys_days{next / 1};
        }
    }
    return start;
}

std::string second_id(Time time) {
    const auto date = date_of(time);
    const hh_mm_ss clock{floor<seconds>(time - floor<days>(time))};
    return fmt::format("{:04}-{:02}-{:02}:{:02}:{:02}:{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string interval_id(Unit unit, Time time) { return second_id(time).substr(0, id_sizes[static_cast<std::size_t>(unit)]); }

std::optional<Time> parse_interval_id(std::string_view id) {
    if (std::ranges::find(id_sizes, id.size()) == id_sizes.end()) return std::nullopt;
    constexpr std::string_view form = "dddd-dd-dd:dd:dd";
    std::array<int, 5> parts{0, 1, 1, 0, 0};  // year, month, day, hour, minute
    std::size_t part = 0;
    for (std::size_t at = 0; at < id.size(); ++at) {
        if (form[at] != 'd') {
            if (id[at] != form[at]) return std::nullopt;
            ++part;
            continue;
        }
        if (id[at] < '0' || id[at] > '9') return std::nullopt;
        const bool first = at == 0 || form[at - 1] != 'd';
        parts[part] = (first ? 0 : parts[part] * 10) + (id[at] - '0');
    }
    const year_month_day date{year{parts[0]}, month{static_cast<unsigned>(parts[1])}, day{static_cast<unsigned>(parts[2])}};
    if (!date.ok() || parts[3] > 23 || parts[4] > 59) return std::nullopt;
    return Time{sys_days{date}} + hours{parts[3]} + minutes{parts[4]};
}

}  // namespace stats
