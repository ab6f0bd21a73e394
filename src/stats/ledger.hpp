#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "stats/counters.hpp"
#include "stats/interval.hpp"

namespace stats {

/// Which intervals are asked for (RSC6b).
struct Query {
    Unit unit = Unit::minute;
    std::optional<Time> start, end;  // both inclusive: any time within an interval
    std::optional<Time> after;       // behind the interval that starts here, in the direction of travel
    bool forwards = false;
    std::size_t limit = 0;
};
/// By where they start.
using Intervals = std::map<Time, Counters>;

/// What one shard has counted, by app: the minute that is under way, and the sums of those that are over by minute, hour, day and
/// month. Of each unit limits::stats_…_max are kept, and the oldest let go. Shard-owned.
class Ledger {
public:
    using Clock = Time (*)();

    explicit Ledger(Clock clock) : clock_(clock), minute_(start_of(Unit::minute, clock())) {}

    /// Where an app's minute is counted. Valid until tick() or forget().
    Counters& of(std::string_view app_id) { return app(app_id).minute; }

    /// Ends minutes that are over. Call every second.
    void tick();

    /// The first intervals of the query in which there was something, with what is under way.
    Intervals read(const std::string& app_id, const Query& query) const;

    /// Adds a minute from elsewhere: a fixture.
    void add(const std::string& app_id, Time minute, const Counters& counters);
    /// An app is gone.
    void forget(const std::string& app_id) { apps_.erase(app_id); }

private:
    friend class Use;

    static constexpr std::array all_resources{Resource::connections, Resource::channels};
    struct App {
        Counters minute;
        std::array<std::int64_t, 2> levels{};  // by Resource, now
        Time since;                            // that they have been so
        std::array<Intervals, 4> over;         // by Unit
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    App& app(std::string_view app_id);
    static void settle(const App& app, Counters& minute, Time now);
    static void add(App& app, Time minute, const Counters& counters);
    void change(const std::string& app_id, Resource resource, std::int64_t by);

    Clock clock_;
    Time minute_;  // that is under way
    std::unordered_map<std::string, App, Hash, std::equal_to<>> apps_;
};

/// One of a resource of an app's, from its making to its end. The ledger outlives it.
class Use {
public:
    Use() = default;
    Use(Ledger& ledger, std::string app_id, Resource resource) : ledger_(&ledger), app_id_(std::move(app_id)), resource_(resource) {
        ledger.change(app_id_, resource, +1);
    }
    ~Use() {
        if (ledger_) ledger_->change(app_id_, resource_, -1);
    }
    Use(Use&& other) noexcept
        : ledger_(std::exchange(other.ledger_, nullptr)), app_id_(std::move(other.app_id_)), resource_(other.resource_) {}
    Use& operator=(Use&& other) noexcept {
        std::swap(ledger_, other.ledger_);
        std::swap(app_id_, other.app_id_);
        std::swap(resource_, other.resource_);
        return *this;
    }

private:
    Ledger* ledger_ = nullptr;
    std::string app_id_;
    Resource resource_{};
};

}  // namespace stats
