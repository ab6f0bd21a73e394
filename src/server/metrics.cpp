#include "base/metrics.hpp"

#include <numeric>

#include "server/routes.hpp"

namespace server {

/// For Prometheus.
void Routes::metrics(Call call) {
    hub_.ask_all<std::size_t>(
        [](realtime::Hub& there) { return there.connections(); },
        [this, call = std::move(call)](std::vector<std::size_t> connections) mutable {
            base::MetricsText out;
            const auto all = std::accumulate(connections.begin(), connections.end(), std::size_t{0});
            out.gauge("palimpsest_connections", "Clients with a connection, those who may still resume too.",
                      static_cast<double>(all));
            if (site_.more_metrics) site_.more_metrics(out);
            call.reply({.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, .body = out.text()});
        });
}

}  // namespace server
