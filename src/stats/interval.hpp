#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace stats {

using base::Time;

/// RSC6b4: what statistics are summed up by, in UTC.
enum class Unit : std::uint8_t { minute, hour, day, month };
inline constexpr std::array all_units{Unit::minute, Unit::hour, Unit::day, Unit::month};

std::string_view name_of(Unit unit);
std::optional<Unit> parse_unit(std::string_view name);

/// Where the interval that holds `time` starts, and where the next one does.
Time start_of(Unit unit, Time time);
Time end_of(Unit unit, Time time);

/// `2026-02-03:15:04` for a minute, `2026-02-03:15` for an hour, `2026-02-03` for a day, `2026-02` for a month.
std::string interval_id(Unit unit, Time time);
/// The start of any of them; nothing when it is none.
std::optional<Time> parse_interval_id(std::string_view id);

/// `2026-02-03:15:04:05`: up to where an interval that is under way has been counted.
std::string second_id(Time time);

}  // namespace stats
