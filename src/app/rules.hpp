#pragma once

#include <memory>
#include <regex>
#include <unordered_map>

#include <boost/asio/steady_timer.hpp>

#include "app/config.hpp"
#include "functions/chat.hpp"
#include "functions/rule_queue.hpp"
#include "realtime/hub.hpp"

namespace app {

/// Hands the messages of channels that a rule names to the chat function, and tells their authors what was refused, on
/// `chat-errors:<clientId>`. A publisher has its ACK when the function is done with the message: what was acknowledged is
/// committed, or refused; a NACK means that it is neither. Shard-owned.
class Rules final : public realtime::Tap {
public:
    /// `pool` outlives it. Rules apply to channels of this app alone.
    Rules(boost::asio::io_context& io, postgres::Pool& pool, const std::vector<RuleConfig>& rules, std::string app_id);

    void join(realtime::Hub& hub) override { hub_ = &hub; }
    base::Result<void> admit(const std::string& address) override;
    void take(const std::string& address, const broker::EntryPtr& entry, bool duplicate, Handled handled) override;

private:
    struct Rule {
        std::string id;
        std::regex channel;
    };
    /// A message that is being written, by its address and serial: those who wait to hear of it.
    struct InHand {
        std::vector<Handled> waiting;
    };

    const Rule* rule_for(const std::string& address);
    void finished(const std::string& key, const std::string& channel, functions::Outcome outcome);
    void tell_author(const functions::Refusal& refusal);
    void wake();

    boost::asio::steady_timer timer_;
    functions::ChatFunction chat_;
    functions::RuleQueue queue_;
    std::vector<Rule> rules_;
    std::string prefix_;  // of the app's addresses
    realtime::Hub* hub_ = nullptr;
    std::unordered_map<std::string, const Rule*> rule_by_address_;  // regular expressions are slow; channels are few
    std::unordered_map<std::string, InHand> in_hand_;
    /// Messages that were not written: published again, they are tried again, and refused again. Forgotten from the front.
    std::deque<std::string> unwritten_;
};

}  // namespace app
