#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "base/metrics.hpp"
#include "broker/broker.hpp"
#include "rest/http_client.hpp"
#include "rest/publish_queue.hpp"

namespace rest {

/// An Ably-compatible REST API, and who we are to it.
struct Endpoint {
    std::string host = "rest.ably.io";
    std::uint16_t port = 0;  // 0: 443, or 80 without TLS
    bool tls = true;
    std::string key;  // appId.keyId:secret; never logged

    std::string url(std::string_view path) const;
    /// The one header that shows the key (RSA11).
    std::string authorization() const;
};

/// Written by the sink's shard, read by all.
struct Metrics {
    base::Counter requests, failures;  // those of which not all was taken
    base::Durations answers;           // from a request to its answer
};

/// Publishes changes over REST, each once and in order, for as long as it takes: what a connector::Sink is made from. Shard-owned.
class RestSink {
public:
    struct Events {
        /// What keeps us from publishing, at every change; nothing when all is well.
        std::function<void(const std::optional<Refusal>&)> on_trouble;
    };
    RestSink(asio::io_context& io, Endpoint endpoint, PublishQueue::Options options, Metrics& metrics, Events events);
    ~RestSink();

    /// An error is final: the endpoint will never take this. All else is tried again for ever.
    void publish(const std::string& channel, broker::Draft draft, std::move_only_function<void(base::Result<void>)> done);
    void commit();
    /// What was handed in and not acknowledged will be handed in again.
    void restart() { queue_.restart(); }

private:
    void pump_soon();
    void pump();
    void send(PublishQueue::Request request);
    void tell_trouble();

    asio::io_context& io_;
    const Endpoint endpoint_;
    PublishQueue queue_;
    Metrics& metrics_;
    Events events_;
    HttpClient http_;
    asio::steady_timer timer_;
    std::optional<Refusal> told_;
    std::shared_ptr<RestSink*> alive_;  // what is posted finds out by it
    bool pumping_soon_ = false;
};

}  // namespace rest
