#include <algorithm>

#include "protocol/json_writer.hpp"
#include "server/access.hpp"
#include "server/paging.hpp"
#include "server/routes.hpp"

/// What is going on on channels (RSL8, CHD2), and which there are.
namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;
using realtime::Home;
using realtime::OccupancyMetrics;

namespace {

/// CHD2, CHS2, CHO2.
void write_status(protocol::JsonWriter& out, const std::string& channel, const std::optional<OccupancyMetrics>& metrics) {
    out.object([&] {
        for (const auto* name : {"channelId", "name"}) {
            out.key(name);
            out.text(channel);
        }
        out.key("status");
        out.object([&] {
            out.key("isActive");
            out.boolean(metrics.has_value());
            out.key("occupancy");
            out.json(to_json(metrics.value_or(OccupancyMetrics{})));
        });
    });
}

/// By id: names alone.
std::string listing(std::span<const Home::Active> channels, std::size_t prefix, bool by_id) {
    std::string json;
    protocol::JsonWriter out{json};
    out.array([&] {
        for (const auto& each : channels) {
            out.element();
            const auto name = each.address.substr(prefix);
            if (by_id)
                out.text(name);
            else
                write_status(out, name, each.metrics);
        }
    });
    return json;
}

}  // namespace

void Routes::channel_status(Call call) {
    auto channel = access(call.identity, call.request.segments[1], {auth::Operation::channel_metadata});
    if (!channel) return call.refuse(channel.error());
    hub_.ask_home<std::optional<OccupancyMetrics>>(
        channel->address, [address = channel->address](realtime::Hub& there) { return there.home().occupancy(address); },
        [name = channel->name.full, call = std::move(call)](std::optional<OccupancyMetrics> metrics) mutable {
            std::string json;
            protocol::JsonWriter out{json};
            write_status(out, name, metrics);
            call.reply(respond_json(call.format, 200, json));
        });
}

/// Those of the app's active channels whose metadata the client may see, by name, page by page.
void Routes::channels(Call call) {
    const auto limit = limit_param(call.request);
    if (!limit) return call.refuse(limit.error());
    const auto by = call.request.param("by").value_or("value");
    if (by != "value" && by != "id") return call.refuse({ErrorCode::invalid_parameter_value, "by is value or id"});
    const auto& capability = call.identity.capability;
    if (!capability.grants(auth::Operation::channel_metadata)) {
        return call.refuse({ErrorCode::capability_denied, "Action not permitted by the given capability"});
    }
    const auto app = call.identity.app_id() + "/";
    const auto after = app + call.request.param("cursor").value_or("");
    const auto wanted = [capability, app = app.size(),
                         prefix = app + call.request.param("prefix").value_or("")](const std::string& address) {
        return address.starts_with(prefix) &&
               auth::has(capability.on(std::string_view{address}.substr(app)), auth::Operation::channel_metadata);
    };
    hub_.ask_all<std::vector<Home::Active>>(
        [wanted, after, limit = *limit](realtime::Hub& there) { return there.home().active(wanted, after, limit + 1); },
        [call = std::move(call), app = app.size(), limit = *limit,
         by_id = by == "id"](std::vector<std::vector<Home::Active>> found) mutable {
            std::vector<Home::Active> all;
            for (auto& each : found) std::ranges::move(each, std::back_inserter(all));
            std::ranges::sort(all, {}, &Home::Active::address);
            const auto page = std::span{all}.first(std::min(limit, all.size()));
            auto response = respond_json(call.format, 200, listing(page, app, by_id));
            std::optional<std::string> next;
            if (all.size() > limit) next = page.back().address.substr(app);
            add_links(response, call.request, next);
            call.reply(std::move(response));
        });
}

}  // namespace server
