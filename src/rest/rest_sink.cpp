#include "rest/rest_sink.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/log.hpp"
#include "rest/answer.hpp"

namespace rest {

using base::Result;

std::string Endpoint::url(std::string_view path) const {
    const auto name = host.find(':') == host.npos ? host : "[" + host + "]";
    const auto at = port == 0 ? std::string{} : fmt::format(":{}", port);
    return fmt::format("{}://{}{}{}", tls ? "https" : "http", name, at, path);
}

std::string Endpoint::authorization() const { return "Authorization: Basic " + base::base64_encode(key); }

RestSink::RestSink(asio::io_context& io, Endpoint endpoint, PublishQueue::Options options, Metrics& metrics, Events events)
    : io_(io),
      endpoint_(std::move(endpoint)),
      queue_(options),
      metrics_(metrics),
      events_(std::move(events)),
      http_(io),
      timer_(io),
      alive_(std::make_shared<RestSink*>(this)) {}

RestSink::~RestSink() { *alive_ = nullptr; }

namespace {

/// Told of each message of a change, tells of the change: when all are settled, and whether all were taken.
class Together {
public:
    Together(std::size_t messages, std::move_only_function<void(Result<void>)> done) : left_(messages), done_(std::move(done)) {}
    void settle(Result<void> one) {
        if (!one) result_ = std::move(one);
        if (--left_ == 0) done_(std::move(result_));
    }

private:
    std::size_t left_;
    std::move_only_function<void(Result<void>)> done_;
    Result<void> result_;
};

}  // namespace

void RestSink::publish(const std::string& channel, broker::Draft draft, std::move_only_function<void(Result<void>)> done) {
    auto& messages = draft.message.messages;
    const auto together = std::make_shared<Together>(messages.size(), std::move(done));
    for (auto& message : messages) {
        queue_.add(channel, draft.place, std::move(message),
                   [together](Result<void> result) { together->settle(std::move(result)); });
    }
    pump_soon();
}

void RestSink::commit() {
    queue_.commit();
    pump_soon();
}

/// What comes in one turn of the loop goes out together.
void RestSink::pump_soon() {
    if (std::exchange(pumping_soon_, true)) return;
    asio::post(io_, [alive = alive_] {
        if (*alive) (*alive)->pump();
    });
}

void RestSink::pump() {
    pumping_soon_ = false;
    const auto now = base::now();
    while (auto request = queue_.next(now)) send(*std::move(request));
    const auto wake = queue_.wake_at();
    if (!wake || *wake <= now) return;
    timer_.expires_after(*wake - now);
    timer_.async_wait([alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive) (*alive)->pump();
    });
}

void RestSink::send(PublishQueue::Request request) {
    metrics_.requests.add();
    HttpCall call{.method = "POST",
                  .url = endpoint_.url("/messages"),
                  .headers = {"Content-Type: application/json", "Accept: application/json", "X-Ably-Version: 3",
                              fmt::format("{}: keep", order_header), endpoint_.authorization()},
                  .body = std::move(request.body)};
    http_.call(std::move(call), [this, id = request.id, parcels = request.parcels,
                                 sent = std::chrono::steady_clock::now()](const Result<HttpAnswer>& answer) {
        metrics_.answers.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - sent).count());
        queue_.answered(id, outcome_of(answer, parcels), base::now());
        if (queue_.trouble()) metrics_.failures.add();
        tell_trouble();
        pump();
    });
}

void RestSink::tell_trouble() {
    const auto& trouble = queue_.trouble();
    if (trouble.has_value() == told_.has_value() &&
        (!trouble || (trouble->code == told_->code && trouble->status == told_->status)))
        return;
    told_ = trouble;
    if (!trouble)
        base::log::info("at=publishing_again endpoint={}", endpoint_.host);
    else {
        base::log::warn("at=publish_failed endpoint={} status={} code={} reason=\"{}\" action=retry", endpoint_.host,
                        trouble->status, trouble->code, trouble->message);
    }
    events_.on_trouble(trouble);
}

}  // namespace rest
