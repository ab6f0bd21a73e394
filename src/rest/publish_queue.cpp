#include "rest/publish_queue.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/backoff.hpp"
#include "protocol/codec.hpp"
#include "protocol/json_writer.hpp"

namespace rest {

using base::ErrorCode;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds first_pause = 100ms, longest_pause = 10s;
constexpr std::size_t envelope_bytes = 100;  // what a message weighs in a request besides what it says

Time after_pause(const Refusal& refusal, unsigned failures, Time now) {
    return now + std::max(refusal.retry_after.value_or(0ms), base::backoff(failures, first_pause, longest_pause));
}

std::size_t bytes_on_wire(const protocol::Message& message) {
    return protocol::size_of(message) + message.id.size() + envelope_bytes;
}

}  // namespace

Remedy remedy_of(const Refusal& refusal) {
    const auto status = refusal.status;
    if (status < 400 || status >= 500 || status == 408 || status == 429) return Remedy::wait;
    if (status == 401 || status == 403 || status == 404 || status == 405) return Remedy::mend;
    return Remedy::none;
}

base::Error error_of(const Refusal& refusal) {
    const ErrorCode code{refusal.code};
    const bool known = protocol::http_status(code) != 500;
    return {known ? code : remedy_of(refusal) == Remedy::none ? ErrorCode::bad_request : ErrorCode::unavailable, refusal.message};
}

void PublishQueue::add(const std::string& name, std::optional<broker::WalPlace> place, protocol::Message message, Done done) {
    const auto bytes = protocol::size_of(message);
    if (bytes > options_.message_bytes_max) {
        return done(base::fail(ErrorCode::message_too_large, "Maximum message length exceeded: {} bytes, {} at most", bytes,
                               options_.message_bytes_max));
    }
    if (!place || place->commit_lsn != transaction_) close_all();
    transaction_ = place ? place->commit_lsn : 0;
    message.timestamp = 0;  // the endpoint's to give
    ++size_;
    open_bytes_ += bytes;
    auto& channel = channels_[name];
    if (channel.open) {
        const auto& open = *channel.open;
        if (open.messages.size() >= options_.parcel_messages_max || open.bytes + bytes > options_.message_bytes_max)
            close(name, channel);
    }
    if (!channel.open) channel.open.emplace();
    channel.open->messages.push_back(std::move(message));
    channel.open->done.push_back(std::move(done));
    channel.open->bytes += bytes;
    if (++open_messages_ >= options_.open_messages_max || open_bytes_ >= options_.open_bytes_max || !place) close_all();
}

void PublishQueue::commit() { close_all(); }

void PublishQueue::restart() {
    ++generation_;
    ready_.clear();
    size_ = 0;
    for (const auto& [id, flight] : flights_) {
        for (const auto& sent : flight.sent) size_ += sent.parcel.messages.size();
    }
    for (auto& [name, channel] : channels_) {
        channel.waiting.clear();
        channel.open.reset();
    }
    std::erase_if(channels_, [](const auto& each) { return !each.second.busy; });
    open_messages_ = open_bytes_ = 0;
    transaction_ = 0;
}

void PublishQueue::close_all() {
    if (open_messages_ > 0) {
        for (auto& [name, channel] : channels_) {
            if (channel.open) close(name, channel);
        }
    }
    open_messages_ = open_bytes_ = 0;
}

void PublishQueue::close(const std::string& name, Channel& channel) {
    auto& messages = channel.open->messages;
    if (messages.size() > 1) {
        const auto base = messages.front().id;
        for (std::size_t i = 0; i < messages.size(); ++i) messages[i].id = fmt::format("{}:{}", base, i);
    }
    channel.waiting.push_back(*std::move(channel.open));
    channel.open.reset();
    if (!channel.busy && channel.waiting.size() == 1) ready_.push_back(name);
}

std::optional<PublishQueue::Request> PublishQueue::next(Time now) {
    if (flights_.size() >= options_.requests_max || now < not_before_) return std::nullopt;
    Flight flight{.sent = {}, .generation = generation_};
    std::size_t bytes = 0;
    for (auto left = ready_.size(); left > 0; --left) {
        auto name = std::move(ready_.front());
        ready_.pop_front();
        auto& channel = channels_.at(name);
        if (now >= channel.not_before) take_from(name, channel, flight, bytes);
        if (!channel.busy) ready_.push_back(std::move(name));
    }
    if (flight.sent.empty()) return std::nullopt;
    Request request{.id = next_id_++, .parcels = flight.sent.size(), .messages = 0, .body = encode(flight.sent)};
    for (const auto& sent : flight.sent) request.messages += sent.parcel.messages.size();
    flights_.emplace(request.id, std::move(flight));
    return request;
}

void PublishQueue::take_from(const std::string& name, Channel& channel, Flight& flight, std::size_t& bytes) {
    while (!channel.waiting.empty()) {
        auto& parcel = channel.waiting.front();
        if (!flight.sent.empty()) {
            const bool full =
                flight.sent.size() >= options_.request_parcels_max || bytes + parcel.bytes > options_.request_bytes_max;
            if (full || parcel.alone || flight.sent.front().parcel.alone) return;
        }
        for (const auto& message : parcel.messages) bytes += bytes_on_wire(message);
        flight.sent.push_back({.channel = name, .parcel = std::move(parcel)});
        channel.waiting.pop_front();
        channel.busy = true;
        if (!keeps_order_) return;
    }
}

std::string PublishQueue::encode(const std::vector<Sent>& all) {
    std::string body;
    protocol::JsonWriter out{body};
    out.array([&] {
        for (const auto& sent : all) {
            out.element();
            out.object([&] {
                out.key("channels");
                out.array([&] { out.text(sent.channel); });
                out.key("messages");
                out.json(protocol::encode_messages(protocol::Format::json, sent.parcel.messages));
            });
        }
    });
    return body;
}

void PublishQueue::answered(std::uint64_t id, Outcome outcome, Time now) {
    auto flight = std::move(flights_.extract(id).mapped());
    trouble_.reset();
    Told told;
    if (outcome.request) {
        settle_request(flight, *outcome.request, now, told);
    } else {
        PAL_ASSERT(outcome.parcels.size() == flight.sent.size());
        failures_ = 0;
        keeps_order_ = outcome.keeps_order;
        settle_each(flight, outcome, now, told);
    }
    put_back(flight);
    for (auto& [done, result] : told) done(std::move(result));
}

/// Nothing of it was taken, as far as we know.
void PublishQueue::settle_request(Flight& flight, const Refusal& refusal, Time now, Told& told) {
    if (remedy_of(refusal) != Remedy::none) {
        trouble_ = refusal;
        not_before_ = after_pause(refusal, failures_++, now);
        for (auto& sent : flight.sent) sent.back = true;
    } else if (flight.sent.size() > 1) {
        for (auto& sent : flight.sent) sent.back = sent.parcel.alone = true;
    } else {
        refuse(flight.sent.front(), refusal, told);
    }
}

/// Of each channel what is before the first that failed was taken, and what is behind it is tried again.
void PublishQueue::settle_each(Flight& flight, const Outcome& outcome, Time now, Told& told) {
    std::string failed;
    for (std::size_t i = 0; i < flight.sent.size(); ++i) {
        auto& sent = flight.sent[i];
        const auto& refusal = outcome.parcels[i];
        auto& channel = channels_.at(sent.channel);
        if (!refusal) {
            channel.failures = 0;
            for (auto& done : sent.parcel.done) told.emplace_back(std::move(done), Result<void>{});
        } else if (failed == sent.channel) {
            sent.back = true;
        } else if (failed = sent.channel; remedy_of(*refusal) == Remedy::none) {
            refuse(sent, *refusal, told);
        } else {
            trouble_ = refusal;
            channel.not_before = after_pause(*refusal, channel.failures++, now);
            sent.back = true;
        }
    }
}

/// It can never be taken as it is: whole, if it is one message, else without those that are the cause.
void PublishQueue::refuse(Sent& sent, const Refusal& refusal, Told& told) {
    if (sent.parcel.messages.size() == 1)
        told.emplace_back(std::move(sent.parcel.done.front()), std::unexpected(error_of(refusal)));
    else
        sent.back = sent.split = true;
}

void PublishQueue::put_back(Flight& flight) {
    const bool current = flight.generation == generation_;
    for (auto each = flight.sent.rbegin(); each != flight.sent.rend(); ++each) {
        if (each->back && current)
            put_back(channels_.at(each->channel), *each);
        else
            size_ -= each->parcel.messages.size();
    }
    for (const auto& sent : flight.sent) {
        const auto found = channels_.find(sent.channel);
        if (found == channels_.end() || !std::exchange(found->second.busy, false)) continue;
        if (!found->second.waiting.empty())
            ready_.push_back(sent.channel);
        else if (!found->second.open)
            channels_.erase(found);
    }
}

void PublishQueue::put_back(Channel& channel, Sent& sent) {
    auto& [messages, done, bytes, alone] = sent.parcel;
    if (!sent.split) return channel.waiting.push_front(std::move(sent.parcel));
    for (auto i = messages.size(); i-- > 0;) {
        Parcel single{.messages = {}, .done = {}, .bytes = protocol::size_of(messages[i]), .alone = alone};
        single.messages.push_back(std::move(messages[i]));
        single.done.push_back(std::move(done[i]));
        channel.waiting.push_front(std::move(single));
    }
}

std::optional<Time> PublishQueue::wake_at() const {
    if (ready_.empty()) return std::nullopt;
    auto soonest = Time::max();
    for (const auto& name : ready_) soonest = std::min(soonest, channels_.at(name).not_before);
    return std::max(soonest, not_before_);
}

}  // namespace rest
