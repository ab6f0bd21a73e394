#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/http_session.hpp"
#include "net/listener.hpp"
#include "net/shard.hpp"

namespace app {

/// What an operator asks a process without a server of its own: GET /healthz, /readyz and /metrics. Made, started and stopped on
/// the main thread; the functions are called on a thread of this one's.
class Operations {
public:
    struct Answers {
        std::function<std::string()> not_ready;  // why; empty: it is
        std::function<std::string()> metrics;
    };
    /// Throws std::runtime_error when the address cannot be listened on.
    Operations(const std::string& host, std::uint16_t port, Answers answers);
    ~Operations();
    std::uint16_t port() const { return listener_.port(); }

private:
    class Handler;
    net::Shard shard_;
    std::unique_ptr<Handler> handler_;
    net::Listener listener_;
};

}  // namespace app
