#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "base/budget.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/resource_limits.hpp"
#include "functions/event.hpp"
#include "functions/outcome.hpp"

namespace functions {

/// The events of one rule on their way to its function: those of a channel one after the other, each until it went well, was
/// refused, has failed in vain, or has failed for limits::rule_retry_for; channels do not wait for each other. An event may be
/// carried out more than once, never before the one in front of it is over. No I/O, no clock: the owner invokes and says what came
/// of it. Shard-owned.
class RuleQueue {
public:
    /// An invocation; its answer is due exactly once, at once or later.
    struct Call {
        std::string address;
        std::uint64_t number = 0;
    };
    using Invoke = std::function<void(const Call& call, const Event& event)>;
    using Finished = std::move_only_function<void(Outcome)>;

    explicit RuleQueue(Invoke invoke) : invoke_(std::move(invoke)) {}

    /// Error: rate_limit_exceeded when limits::rule_queue_events_max or rule_queue_bytes_max wait for this channel, or its share of what
    /// may wait for all; `finished` is not called then.
    base::Result<void> push(const std::string& address, Event event, base::Time now, Finished finished);

    /// Would push() refuse?
    bool full(const std::string& address) const;

    void answer(const Call& call, Outcome outcome, base::Time now);

    /// Invokes again what is due. Call it at next_due() or more often.
    void tick(base::Time now);
    std::optional<base::Time> next_due() const;

    std::size_t size() const;  // events not finished
    std::size_t bytes() const { return budget_.used(); }

private:
    struct Waiting {
        Event event;
        base::Time arrived;
        Finished finished;
        std::size_t bytes;
    };
    struct Answer {
        Outcome outcome;
        base::Time at;
    };
    struct Channel {
        std::deque<Waiting> events;
        std::size_t bytes = 0;               // of those
        std::uint64_t number = 0;            // of the invocation under way
        bool invoking = false;               // invoke_ has not returned yet,
        std::optional<Answer> answered;      // and this is what it was answered meanwhile
        unsigned attempts = 0;               // failed, of the first event
        std::optional<base::Time> retry_at;  // unset: an invocation is under way
    };
    bool full(const Channel& channel) const;
    void drive(const std::string& address, Channel& channel);
    void retry(const std::string& address, Channel& channel, std::optional<base::Time> at);
    bool settle(const std::string& address, Channel& channel, Answer answer);

    std::uint64_t number_ = 0;
    Invoke invoke_;
    base::Budget budget_{base::limits::rule_queues_bytes_max};
    std::unordered_map<std::string, Channel> channels_;          // those with events
    std::set<std::pair<base::Time, std::string>> due_;           // those that wait for a retry, the first due first
};

}  // namespace functions
