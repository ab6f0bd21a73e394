#include "server/paging.hpp"
#include "server/routes.hpp"
#include "stats/report.hpp"

/// What an app has used (RSC6).
namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

/// `start` or `end`: in ms, or the id of an interval (G3's suites use those).
Result<std::optional<base::Time>> time_param(const net::HttpRequest& request, const std::string& name) {
    const auto text = request.param(name);
    if (!text) return std::optional<base::Time>{};
    if (const auto time = stats::parse_interval_id(*text)) return time;
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), ms);
    constexpr std::int64_t ms_max = 253'402'300'799'999;  // of the year 9999
    if (error == std::errc{} && end == text->data() + text->size() && ms >= 0 && ms <= ms_max) return base::from_ms(ms);
    return fail(ErrorCode::invalid_parameter_value, "{} is neither a time in ms nor the id of an interval", name);
}

Result<stats::Query> stats_query(const net::HttpRequest& request) {
    stats::Query query;
    const auto unit = stats::parse_unit(request.param("unit").value_or(request.param("by").value_or("minute")));
    if (!unit) return fail(ErrorCode::invalid_parameter_value, "unit is minute, hour, day or month");
    query.unit = *unit;
    const auto start = time_param(request, "start");
    if (!start) return std::unexpected(start.error());
    const auto end = time_param(request, "end");
    if (!end) return std::unexpected(end.error());
    if (*start && *end && **start > **end) return fail(ErrorCode::invalid_parameter_value, "start is after end");
    query.start = *start;
    query.end = *end;
    const auto forwards = forwards_param(request);
    if (!forwards) return std::unexpected(forwards.error());
    query.forwards = *forwards;
    if (const auto cursor = request.param("cursor")) {
        query.after = stats::parse_interval_id(*cursor);
        if (!query.after) return fail(ErrorCode::invalid_parameter_value, "cursor is not one of ours");
    }
    return query;
}

}  // namespace

/// Who may see all channels' statistics may see the app's: there are none by channel.
void Routes::stats(Call call) {
    if (!auth::has(call.identity.capability.on("*"), auth::Operation::stats)) {
        return call.refuse({ErrorCode::capability_denied, "Statistics are not permitted by the given capability"});
    }
    auto query = stats_query(call.request);
    if (!query) return call.refuse(query.error());
    const auto limit = limit_param(call.request);
    if (!limit) return call.refuse(limit.error());
    query->limit = *limit + 1;
    const auto& app_id = call.identity.app_id();
    hub_.ask_all<stats::Intervals>(
        [app_id, query = *query](realtime::Hub& there) { return there.stats().read(app_id, query); },
        [app_id, query = *query, limit = *limit, call = std::move(call)](std::vector<stats::Intervals> shards) mutable {
            const auto page = stats::report(std::move(shards), query, limit);
            auto response = respond_json(call.format, 200, stats::to_json(page, query, app_id, base::now()));
            add_links(response, call.request,
                      page.next.transform([&](auto start) { return stats::interval_id(query.unit, start); }));
            call.reply(std::move(response));
        });
}

}  // namespace server
