#include "functions/rule_queue.hpp"

#include "base/backoff.hpp"

namespace functions {

using namespace std::chrono_literals;
using namespace base::limits;

namespace {

constexpr std::size_t overhead_bytes = 512;  // of a message in an event, besides its texts

std::size_t weight(const Event& event) {
    std::size_t bytes = overhead_bytes + event.channel.size();
    for (const auto& each : event.messages) bytes += overhead_bytes + size_of(each);
    return bytes;
}

}  // namespace

base::Result<void> RuleQueue::push(const std::string& address, Event event, base::Time now, Finished finished) {
    if (full(address)) {
        return fail(ErrorCode::rate_limit_exceeded, "Limit of messages that wait for the channel's rule reached ({}, or {} bytes)",
                    rule_queue_events_max, rule_queue_bytes_max);
    }
    auto& channel = channels_[address];
    const auto bytes = weight(event);
    channel.bytes += bytes;
    budget_.take(bytes);
    channel.events.push_back({std::move(event), now, std::move(finished), bytes});
    if (channel.events.size() == 1) drive(address, channel);
    return {};
}

bool RuleQueue::full(const std::string& address) const {
    const auto found = channels_.find(address);
    return found == channels_.end() ? budget_.share() == 0 : full(found->second);
}

bool RuleQueue::full(const Channel& channel) const {
    return channel.events.size() >= rule_queue_events_max || channel.bytes >= std::min(rule_queue_bytes_max, budget_.share());
}

void RuleQueue::answer(const Call& call, Outcome outcome, base::Time now) {
    const auto found = channels_.find(call.address);
    if (found == channels_.end() || found->second.number != call.number || found->second.retry_at) return;
    auto& channel = found->second;
    if (channel.invoking) channel.answered = {std::move(outcome), now};
    else if (settle(call.address, channel, {std::move(outcome), now})) drive(call.address, channel);
}

/// Invokes for the first event, and for the next ones while each is answered at once: a loop, however many there are.
void RuleQueue::drive(const std::string& address, Channel& channel) {
    for (;;) {
        retry(address, channel, std::nullopt);
        channel.answered.reset();
        channel.number = ++number_;
        channel.invoking = true;
        invoke_({address, channel.number}, channel.events.front().event);
        channel.invoking = false;
        if (!channel.answered || !settle(address, channel, *std::move(channel.answered))) return;
    }
}

/// True when the channel's next event is to be invoked now; when there is none the channel is gone.
bool RuleQueue::settle(const std::string& address, Channel& channel, Answer answer) {
    if (answer.outcome.failed && !answer.outcome.in_vain) {
        const auto retry_at = answer.at + base::backoff(channel.attempts++, 100ms, 5s);
        if (retry_at < channel.events.front().arrived + rule_retry_for) {
            retry(address, channel, retry_at);
            return false;
        }
    }
    auto finished = std::move(channel.events.front().finished);
    channel.bytes -= channel.events.front().bytes;
    budget_.give_back(channel.events.front().bytes);
    channel.events.pop_front();
    channel.attempts = 0;
    const bool more = !channel.events.empty();
    if (!more) channels_.erase(address);
    finished(std::move(answer.outcome));
    return more;
}

/// When the channel's first event is to be invoked again, or that it is under way.
void RuleQueue::retry(const std::string& address, Channel& channel, std::optional<base::Time> at) {
    if (channel.retry_at) due_.erase({*channel.retry_at, address});
    channel.retry_at = at;
    if (at) due_.emplace(*at, address);
}

void RuleQueue::tick(base::Time now) {
    std::vector<std::string> due;
    for (auto each = due_.begin(); each != due_.end() && each->first <= now; ++each) due.push_back(each->second);
    for (const auto& address : due) {
        // Invoking one may have changed the table.
        if (const auto found = channels_.find(address); found != channels_.end() && found->second.retry_at)
            drive(address, found->second);
    }
}

std::optional<base::Time> RuleQueue::next_due() const {
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
}

std::size_t RuleQueue::size() const {
    std::size_t events = 0;
    for (const auto& [address, channel] : channels_) events += channel.events.size();
    return events;
}

}  // namespace functions
