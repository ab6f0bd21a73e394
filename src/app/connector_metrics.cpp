#include "app/connector_metrics.hpp"

namespace app {

void ConnectorMetrics::write(base::MetricsText& out) const {
    out.counter("palimpsest_connector_changes_total", "Changes read and handed on, those that are read again too.",
                changes.value());
    out.counter("palimpsest_connector_bytes_total", "Their size as messages.", bytes.value());
    out.counter("palimpsest_connector_published_total", "Changes whose publishing was acknowledged.", published.value());
    out.counter("palimpsest_connector_refused_total", "Changes that can never be published and were passed by.", refused.value());
    out.counter("palimpsest_connector_streams_total", "Times the WAL began to be read.", restarts.value());
    out.gauge("palimpsest_connector_streaming", "1 while the WAL is read.", streaming ? 1 : 0);
    out.gauge("palimpsest_connector_publishing", "1 while what is read can be published.", publishing ? 1 : 0);
    out.gauge("palimpsest_connector_last_commit_timestamp_seconds", "When what was published last was committed.",
              static_cast<double>(last_commit_ms.load()) / 1e3);
    out.counter("palimpsest_connector_unaddressed_total", "Changes whose columns made no channel name, and which were passed by.",
                unaddressed.load());
    out.counter("palimpsest_connector_gaps_total", "Feeds whose table was another one for a while, or not published: changes are missing.",
                gaps.load());
    out.gauge("palimpsest_connector_lag_bytes", "WAL that the server has written and that is not delivered.",
              static_cast<double>(lag_bytes.load()));
    out.gauge("palimpsest_connector_lag_seconds", "Since the first of it was written.", static_cast<double>(lag_ms.load()) / 1e3);
    if (const auto safe = safe_wal_bytes.load(); safe >= 0) {
        out.gauge("palimpsest_connector_safe_wal_bytes", "WAL that may be written before Postgres can give up the slot.",
                  static_cast<double>(safe));
    }
    out.durations("palimpsest_connector_commit_to_publish_seconds",
                  "From a change's commit to the acknowledgement of its publishing.", commit_to_publish);
}

connector::Events counted(connector::Events events, ConnectorMetrics& metrics) {
    events.sink = [&metrics, sink = std::move(events.sink)](const std::string& address, broker::Draft draft,
                                                            std::move_only_function<void(base::Result<void>)> done) {
        metrics.changes.add();
        for (const auto& message : draft.message.messages) metrics.bytes.add(protocol::size_of(message));
        const auto committed_ms = draft.message.timestamp;
        sink(address, std::move(draft), [&metrics, committed_ms, done = std::move(done)](base::Result<void> result) mutable {
            if (result) {
                metrics.published.add();
                metrics.last_commit_ms = committed_ms;
                metrics.commit_to_publish.observe(static_cast<double>(base::to_ms(base::now()) - committed_ms) / 1e3);
            } else if (protocol::http_status(result.error().code) < 500 && protocol::http_status(result.error().code) != 429) {
                metrics.refused.add();
            }
            done(std::move(result));
        });
    };
    events.on_restart = [&metrics, on_restart = std::move(events.on_restart)] {
        metrics.restarts.add();
        if (on_restart) on_restart();
    };
    events.on_state = [&metrics, on_state = std::move(events.on_state)](connector::State state, const std::string& reason) {
        metrics.streaming = state == connector::State::streaming;
        on_state(state, reason);
    };
    events.on_status = [&metrics](const connector::Status& status) {
        metrics.lag_bytes = status.lag_bytes;
        metrics.lag_ms = status.lag.count();
        metrics.safe_wal_bytes = status.safe_wal_bytes.value_or(-1);
        metrics.unaddressed = status.unaddressed;
        metrics.gaps = status.gaps;
    };
    return events;
}

}  // namespace app
