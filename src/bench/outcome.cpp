#include "bench/outcome.hpp"

#include <iterator>

#include <fmt/format.h>

#include "protocol/json_writer.hpp"

namespace bench {
namespace {

double ms(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

void write(protocol::JsonWriter& out, std::string_view name, double value) {
    out.key(name);
    out.json(fmt::format("{:.6g}", value));
}
void write(protocol::JsonWriter& out, std::string_view name, std::uint64_t value) {
    out.key(name);
    out.json(fmt::format("{}", value));
}
void write(protocol::JsonWriter& out, std::string_view name, const Histogram& histogram) {
    out.key(name);
    out.object([&] {
        write(out, "count", histogram.count());
        write(out, "p50", ms(histogram.quantile(0.5)));
        write(out, "p90", ms(histogram.quantile(0.9)));
        write(out, "p99", ms(histogram.quantile(0.99)));
        write(out, "p999", ms(histogram.quantile(0.999)));
        write(out, "max", ms(histogram.max()));
    });
}
void write(protocol::JsonWriter& out, std::string_view name, bool value) {
    out.key(name);
    out.boolean(value);
}

std::string row(std::string_view name, const Histogram& histogram) {
    return fmt::format("{:<28} p50 {:>9.3f}   p90 {:>9.3f}   p99 {:>9.3f}   p99.9 {:>9.3f}   max {:>9.3f}\n", name,
                       ms(histogram.quantile(0.5)), ms(histogram.quantile(0.9)), ms(histogram.quantile(0.99)),
                       ms(histogram.quantile(0.999)), ms(histogram.max()));
}

}  // namespace

bool Outcome::passes(double p99_ms_max) const {
    return lossless() && ms((latency.count() > 0 ? latency : acknowledgement).quantile(0.99)) < p99_ms_max;
}

double Outcome::cpu_us_per_delivery() const {
    return window_delivered > 0 ? static_cast<double>(window.cpu_ns) / 1e3 / static_cast<double>(window_delivered) : 0;
}

double Outcome::bytes_per_connection() const {
    return connections > 0 ? static_cast<double>(connected.resident_bytes - empty.resident_bytes) / static_cast<double>(connections)
                           : 0;
}

double Outcome::cpu_us_per_connect() const {
    return connections > 0 ? static_cast<double>(connected.cpu_ns - empty.cpu_ns) / 1e3 / static_cast<double>(connections) : 0;
}

std::string to_json(const Outcome& outcome) {
    std::string text;
    protocol::JsonWriter out{text};
    out.object([&] {
        write(out, "connections", outcome.connections);
        write(out, "connect_s", outcome.connect_s);
        write(out, "connects_per_s", outcome.connects_per_second());
        write(out, "cpu_us_per_connect", outcome.cpu_us_per_connect());
        write(out, "resident_bytes", static_cast<std::uint64_t>(outcome.connected.resident_bytes));
        write(out, "bytes_per_connection", outcome.bytes_per_connection());
        write(out, "sent", outcome.sent);
        write(out, "acknowledged", outcome.acknowledged);
        write(out, "refused", outcome.refused);
        write(out, "expected", outcome.expected);
        write(out, "delivered", outcome.delivered);
        write(out, "missing", outcome.missing);
        write(out, "duplicates", outcome.duplicates);
        write(out, "reordered", outcome.reordered);
        write(out, "misrouted", outcome.misrouted);
        write(out, "disconnected", outcome.disconnected);
        out.key("reason");
        out.text(outcome.reason);
        write(out, "lossless", outcome.lossless());
        write(out, "seconds", outcome.seconds);
        write(out, "publishes_per_s", outcome.publishes_per_second());
        write(out, "deliveries_per_s", outcome.deliveries_per_second());
        write(out, "server_cpu_us_per_delivery", outcome.cpu_us_per_delivery());
        write(out, "server_cpu_share", outcome.server_share());
        write(out, "generator_cpu_share", outcome.generator_share);
        write(out, "generator_bound", outcome.generator_bound);
        write(out, "slow_dropped", outcome.slow_dropped);
        write(out, "slow_resumed", outcome.slow_resumed);
        write(out, "slow_missing", outcome.slow_missing);
        write(out, "slow_duplicates", outcome.slow_duplicates);
        if (outcome.stages) {
            out.key("stages_ms");
            out.object([&] {
                write(out, "commit", outcome.stages->commit);
                write(out, "decode", outcome.stages->decode);
                write(out, "first", outcome.stages->first);
                write(out, "fan_out", outcome.stages->fan_out);
                write(out, "delivery", outcome.stages->delivery);
            });
        }
        write(out, "latency_ms", outcome.latency);
        write(out, "ack_ms", outcome.acknowledgement);
        write(out, "lateness_ms", outcome.lateness);
    });
    return text;
}

std::string to_table(const Outcome& outcome) {
    std::string text;
    const auto line = [&text]<class... Args>(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
        text += '\n';
    };
    line("connections                  {} in {:.2f} s, {:.0f}/s; the server's CPU {:.0f} us and {:.2f} KB each",
         outcome.connections, outcome.connect_s, outcome.connects_per_second(), outcome.cpu_us_per_connect(),
         outcome.bytes_per_connection() / 1024);
    line("messages                     {} sent, {} acknowledged, {} refused {}", outcome.sent, outcome.acknowledged,
         outcome.refused, outcome.reason);
    line("deliveries                   {} of {}; {} missing, {} twice, {} out of order, {} misrouted; {} clients disconnected",
         outcome.delivered, outcome.expected, outcome.missing, outcome.duplicates, outcome.reordered, outcome.misrouted,
         outcome.disconnected);
    if (outcome.sent == 0) return text;
    line("rate over {:>7.2f} s          {:.0f} publishes/s, {:.0f} deliveries/s", outcome.seconds, outcome.publishes_per_second(),
         outcome.deliveries_per_second());
    line("server                       {:.2f} us of CPU a delivery, {:.0f} % of a core, {:.1f} MB resident",
         outcome.cpu_us_per_delivery(), outcome.server_share() * 100, static_cast<double>(outcome.connected.resident_bytes) / 1e6);
    line("generator                    {:.0f} % of a core{}", outcome.generator_share * 100,
         outcome.generator_bound ? ": it is the limit, not the server" : "");
    if (outcome.slow_dropped + outcome.slow_missing > 0) {
        line("slow readers                 {} dropped, {} resumed, {} messages missing", outcome.slow_dropped, outcome.slow_resumed,
             outcome.slow_missing);
    }
    if (outcome.stages) {
        text += row("due -> committed, ms", outcome.stages->commit);
        if (outcome.stages->decode.count() > 0) text += row("committed -> bare consumer", outcome.stages->decode);
        text += row("committed -> first client", outcome.stages->first);
        text += row("first client -> each", outcome.stages->fan_out);
        text += row("committed -> each", outcome.stages->delivery);
    }
    if (outcome.latency.count() > 0) text += row("due -> delivered, ms", outcome.latency);
    if (outcome.acknowledgement.count() > 0) text += row("due -> acknowledged, ms", outcome.acknowledgement);
    text += row("due -> sent by us, ms", outcome.lateness);
    return text;
}

}  // namespace bench
