#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stats/ledger.hpp"

namespace stats {

/// A page of statistics (RSC6a).
struct Report {
    Intervals intervals;
    std::optional<Time> next;  // what comes after this one
};

/// What all shards have read of a query, each at least one interval more than `limit` where there are so many.
Report report(std::vector<Intervals> shards, const Query& query, std::size_t limit);

/// TS12, as a list in the query's direction.
std::string to_json(const Report& report, const Query& query, const std::string& app_id, Time now);

}  // namespace stats
