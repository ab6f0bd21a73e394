#include "connector/confirmation.hpp"

#include <utility>

#include "base/assert.hpp"

namespace connector {

using namespace std::chrono_literals;

void note(Tails& tails, const std::string& channel, broker::WalPlace place) {
    if (tails.size() > base::limits::channel_tails_max && !tails.contains(channel)) {
        for (const auto& [each, last] : std::exchange(tails, {})) tails[all_channels] = std::max(tails[all_channels], last);
    }
    auto& tail = tails[channel];
    tail = std::max(tail, place);
}

Lsn Confirmation::restart() {
    first_ticket_ += open_.size();
    open_.clear();
    keepalive_ = delivered_;  // it may have been ahead of what was dropped just now
    return delivered_;
}

void Confirmation::begin() {
    PAL_ASSERT(open_.empty() || open_.back().end);
    open_.emplace_back();
}

std::uint64_t Confirmation::publish(const std::string& channel, broker::WalPlace place) {
    PAL_ASSERT(!open_.empty() && !open_.back().end);
    ++open_.back().pending;
    note(open_.back().tails, channel, place);
    return first_ticket_ + open_.size() - 1;
}

void Confirmation::commit(Lsn end, base::Time now) {
    PAL_ASSERT(!open_.empty() && !open_.back().end);
    if (open_.back().tails.empty()) {  // nothing in it for us: no more than a keepalive
        open_.pop_back();
        return keepalive(end);
    }
    open_.back().end = end;
    deliver(now);
}

void Confirmation::acknowledge(std::uint64_t ticket, base::Time now) {
    PAL_ASSERT(ticket >= first_ticket_ && ticket - first_ticket_ < open_.size());
    auto& transaction = open_[ticket - first_ticket_];
    PAL_ASSERT(transaction.pending > 0);
    --transaction.pending;
    deliver(now);
}

void Confirmation::keepalive(Lsn end) {
    keepalive_ = std::max(keepalive_, end);
    deliver_keepalive();
}

void Confirmation::deliver_keepalive() {
    if (open_.empty()) delivered_ = std::max(delivered_, keepalive_);
}

void Confirmation::deliver(base::Time now) {
    while (!open_.empty() && open_.front().end && open_.front().pending == 0) {
        auto& done = open_.front();
        delivered_ = std::max(delivered_, *done.end);
        if (held_.empty() || now - held_.back().first >= 1s) held_.push_back({.first = now});
        auto& held = held_.back();
        held.end = *done.end;
        held.last = now;
        for (const auto& [channel, place] : done.tails) note(held.tails, channel, place);
        open_.pop_front();
        ++first_ticket_;
    }
    deliver_keepalive();
}

std::optional<Confirmation::Step> Confirmation::due(base::Time now) {
    Step step{.lsn = confirmed_};
    while (!held_.empty()) {
        auto& oldest = held_.front();
        const bool over_time = now - oldest.last >= options_.window;
        const bool over_size = delivered_.value - oldest.end.value > options_.held_bytes_max;
        if (!over_time && !over_size) break;
        step.lsn = oldest.end;
        for (const auto& [channel, place] : oldest.tails) note(step.tails, channel, place);
        held_.pop_front();
    }
    if (held_.empty()) step.lsn = std::max(step.lsn, delivered_);
    if (step.lsn <= confirmed_) return std::nullopt;
    confirmed_ = step.lsn;
    return step;
}

}  // namespace connector
