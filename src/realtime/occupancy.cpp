#include "realtime/occupancy.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "protocol/json_writer.hpp"

namespace realtime {
namespace {

struct Metric {
    std::string_view name;
    std::size_t OccupancyMetrics::*count;
    std::int64_t mode;  // counted by; 0: by other means
};
namespace flag = protocol::flag;
constexpr std::array<Metric, 8> all_metrics{{
    {"connections", &OccupancyMetrics::connections, 0},
    {"publishers", &OccupancyMetrics::publishers, flag::publish},
    {"subscribers", &OccupancyMetrics::subscribers, flag::subscribe},
    {"presenceConnections", &OccupancyMetrics::presence_connections, flag::presence},
    {"presenceMembers", &OccupancyMetrics::presence_members, 0},
    {"presenceSubscribers", &OccupancyMetrics::presence_subscribers, flag::presence_subscribe},
    {"objectPublishers", &OccupancyMetrics::object_publishers, flag::object_publish},
    {"objectSubscribers", &OccupancyMetrics::object_subscribers, flag::object_subscribe},
}};

constexpr std::string_view all_of_them = "metrics";

/// Of "metrics.subscribers": "subscribers".
std::string_view one_of(std::string_view category) {
    return category.starts_with("metrics.") ? category.substr(all_of_them.size() + 1) : std::string_view{};
}

}  // namespace

bool is_occupancy_category(std::string_view text) {
    return text == all_of_them || std::ranges::find(all_metrics, one_of(text), &Metric::name) != all_metrics.end();
}

std::string to_json(const OccupancyMetrics& metrics, std::string_view category) {
    std::string json;
    protocol::JsonWriter out{json};
    out.object([&] {
        out.key("metrics");
        out.object([&] {
            for (const auto& metric : all_metrics) {
                if (category != all_of_them && one_of(category) != metric.name) continue;
                out.key(metric.name);
                out.number(static_cast<std::int64_t>(metrics.*metric.count));
            }
        });
    });
    return json;
}

protocol::ProtocolMessage occupancy_message(const std::string& channel, std::string_view category, const OccupancyMetrics& metrics) {
    const auto now = base::to_ms(base::now());
    protocol::ProtocolMessage message{
        .action = protocol::Action::message, .timestamp = now, .id = fmt::format("occupancy:{}", base::random_id(10)), .channel = channel};
    message.messages.push_back(
        {.id = message.id + ":0", .name = "[meta]occupancy", .encoding = "json", .data = to_json(metrics, category)});
    return message;
}

void Occupancy::count(std::int64_t modes, bool wants_occupancy, int change) {
    const auto add = [change](std::size_t& count) {
        PAL_ASSERT(change > 0 || count > 0);
        count += static_cast<std::size_t>(change);  // wraps down for -1
    };
    add(metrics_.connections);
    for (const auto& metric : all_metrics) {
        if ((modes & metric.mode) != 0) add(metrics_.*metric.count);
    }
    if (wants_occupancy) add(wanted_);
}

}  // namespace realtime
