#pragma once

#include <string_view>
#include <vector>

#include "protocol/error_codes.hpp"
#include "stats/ledger.hpp"

namespace stats {

/// A minute's statistics as SDK test suites give them (G3):
/// {"intervalId":"2026-02-03:15:03","inbound":{"realtime":{"messages":{"count":50,…}}},…}
struct Fixture {
    Time minute;
    Counters counters;
    friend bool operator==(const Fixture&, const Fixture&) = default;
};

/// One fixture or a list of them, as JSON. What we do not count is passed by. Error: invalid_body.
base::Result<std::vector<Fixture>> parse_fixtures(std::string_view json);

}  // namespace stats
