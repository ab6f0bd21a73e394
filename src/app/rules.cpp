#include "app/rules.hpp"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/log.hpp"

namespace app {

using base::ErrorCode;

namespace {

constexpr std::size_t rule_cache_max = 10'000;
constexpr std::size_t unwritten_remembered_max = 10'000;

std::string reason_name(ErrorCode code) {
    switch (code) {
        case ErrorCode::forbidden: return "not_the_author";
        case ErrorCode::not_found: return "no_such_message";
        case ErrorCode::conflict: return "conflict";
        default: return "invalid";
    }
}

}  // namespace

Rules::Rules(boost::asio::io_context& io, postgres::Pool& pool, const std::vector<RuleConfig>& rules, std::string app_id)
    : timer_(io), chat_(pool), queue_([this](const functions::RuleQueue::Call& call, const functions::Event& event) {
          chat_.handle(event, [this, call](functions::Outcome outcome) {
              queue_.answer(call, std::move(outcome), base::now());
              wake();
          });
      }),
      prefix_(app_id + "/") {
    for (const auto& rule : rules) rules_.push_back({rule.id, std::regex{rule.channel, std::regex::ECMAScript | std::regex::optimize}});
}

const Rules::Rule* Rules::rule_for(const std::string& address) {
    if (const auto found = rule_by_address_.find(address); found != rule_by_address_.end()) return found->second;
    const Rule* rule = nullptr;
    if (address.starts_with(prefix_)) {
        const auto channel = address.substr(prefix_.size());
        const auto matching = std::ranges::find_if(rules_, [&](const Rule& each) { return std::regex_match(channel, each.channel); });
        if (matching != rules_.end()) rule = &*matching;
    }
    if (rule_by_address_.size() >= rule_cache_max) rule_by_address_.clear();
    return rule_by_address_[address] = rule;
}

base::Result<void> Rules::admit(const std::string& address) {
    if (!rule_for(address) || !queue_.full(address)) return {};
    return base::fail(ErrorCode::rate_limit_exceeded,
                      "Limit of messages of this channel that wait to be written reached ({}, or {} bytes); try again shortly",
                      base::limits::rule_queue_events_max, base::limits::rule_queue_bytes_max);
}

void Rules::take(const std::string& address, const broker::EntryPtr& entry, bool duplicate, Handled handled) {
    const auto* rule = rule_for(address);
    if (!rule) return handled({});
    const auto key = address + " " + entry->message.channel_serial;
    if (duplicate) {
        if (const auto writing = in_hand_.find(key); writing != in_hand_.end())
            return writing->second.waiting.push_back(std::move(handled));
        if (std::erase(unwritten_, key) == 0) return handled({});  // it was written, and its publisher did not hear of it
    }
    const auto channel = entry->message.channel;
    functions::Event event{.app_id = prefix_.substr(0, prefix_.size() - 1), .channel = channel, .site = "local", .rule_id = rule->id,
                           .messages = broker::messages_of(*entry)};
    in_hand_[key].waiting.push_back(std::move(handled));
    const auto queued = queue_.push(address, std::move(event), base::now(),
                                    [this, key, channel](functions::Outcome outcome) { finished(key, channel, std::move(outcome)); });
    if (!queued) finished(key, channel, {.failed = queued.error()});
    wake();
}

void Rules::finished(const std::string& key, const std::string& channel, functions::Outcome outcome) {
    for (const auto& refusal : outcome.refused) tell_author(refusal);
    base::Result<void> answer;
    if (outcome.failed) {
        base::log::error("at=rule_gave_up channel={} code={} reason=\"{}\"", channel, static_cast<int>(outcome.failed->code),
                         outcome.failed->message);
        answer = base::fail(ErrorCode::unavailable, "The message could not be written: {}",
                            outcome.in_vain ? "the database lacks a table, or a right, that this needs"
                            : outcome.failed->code == ErrorCode::unavailable ? "the database is unavailable"
                                                                             : "the database has an error");
    }
    if (outcome.failed || !outcome.refused.empty()) {
        unwritten_.push_back(key);
        if (unwritten_.size() > unwritten_remembered_max) unwritten_.pop_front();
    }
    auto done = in_hand_.extract(key);
    for (auto& waiting : done.mapped().waiting) waiting(answer);
}

/// D8: only the author can subscribe to this channel (see browser_capability).
void Rules::tell_author(const functions::Refusal& refusal) {
    if (refusal.client_id.empty()) return;
    const boost::json::object data{{"code", static_cast<int>(refusal.error.code)},
                                   {"reason", reason_name(refusal.error.code)},
                                   {"message", refusal.error.message},
                                   {"messageId", refusal.message_id},
                                   {"name", refusal.name}};
    broker::Draft draft;
    const auto channel = "chat-errors:" + refusal.client_id;
    draft.message = {.action = protocol::Action::message, .channel = channel};
    draft.message.messages.push_back({.name = "refused", .encoding = "json", .data = boost::json::serialize(data)});
    hub_->publish(prefix_ + channel, std::move(draft), {}, [](auto) {});
}

/// Sees to it that retries happen when they are due.
void Rules::wake() {
    const auto due = queue_.next_due();
    if (!due) return;
    timer_.expires_after(std::max(*due - base::now(), base::milliseconds{0}));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        queue_.tick(base::now());
        wake();
    });
}

}  // namespace app
