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
            out.gauge("palimpsest_resident_bytes", "What the process has in memory.", static_cast<double>(base::resident_bytes()));
            if (const auto* memory = hub_.facts().memory) {
                out.gauge("palimpsest_memory_bytes", "What it may have: limits.memory_bytes.", static_cast<double>(memory->bytes_max()));
                out.gauge("palimpsest_memory_pressure", "0: none; 1: no new connections; 2: no slow readers; 3: no publishes.",
                          static_cast<double>(memory->pressure()));
            }
            if (site_.gate) {
                out.gauge("palimpsest_sockets", "Clients' open sockets.", static_cast<double>(site_.gate->sockets()));
                out.counter("palimpsest_refused_by_address_total", "Connections and token requests beyond an address's limits.",
                            site_.gate->refused());
            }
            if (site_.more_metrics) site_.more_metrics(out);
            call.reply({.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, .body = out.text()});
        });
}

}  // namespace server
