#include "server/paging.hpp"

#include <fmt/format.h>

#include "server/params.hpp"

namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;
using net::HttpRequest;

namespace {

/// Relative to the request (RSC19d), with the cursor of the page it leads to and without the credentials.
std::string link(const HttpRequest& request, std::string_view relation, const std::optional<std::string>& cursor) {
    std::string query;
    for (const auto& [name, value] : request.query) {
        if (name == "cursor" || name == "key" || name == "access_token" || name == "accessToken") continue;
        query += fmt::format("{}{}={}", query.empty() ? "" : "&", net::percent_encode(name), net::percent_encode(value));
    }
    if (cursor) query += fmt::format("{}cursor={}", query.empty() ? "" : "&", net::percent_encode(*cursor));
    const auto last_segment = request.path.substr(request.path.rfind('/') + 1);
    return fmt::format("<./{}?{}>; rel=\"{}\"", last_segment, query, relation);
}

}  // namespace

Result<std::size_t> limit_param(const HttpRequest& request) {
    const auto limit = number_param<std::size_t>(request, "limit");
    if (!limit) return std::unexpected(limit.error());
    const auto wanted = limit->value_or(base::limits::page_default);
    if (wanted >= 1 && wanted <= base::limits::page_max) return wanted;
    return fail(ErrorCode::invalid_parameter_value, "limit is 1 to {}", base::limits::page_max);
}

Result<bool> forwards_param(const HttpRequest& request, std::string_view otherwise) {
    const auto direction = request.param("direction").value_or(std::string{otherwise});
    if (direction == "forwards" || direction == "backwards") return direction == "forwards";
    return fail(ErrorCode::invalid_parameter_value, "direction is backwards or forwards");
}

Result<Period> period_params(const HttpRequest& request) {
    Period period;
    const auto start = number_param<std::int64_t>(request, "start");
    if (!start) return std::unexpected(start.error());
    const auto end = number_param<std::int64_t>(request, "end");
    if (!end) return std::unexpected(end.error());
    if (*start) period.start = base::from_ms(**start);
    if (*end) period.end = base::from_ms(**end);
    if (period.start && period.end && *period.start > *period.end) {
        return fail(ErrorCode::invalid_parameter_value, "start is after end");
    }
    return period;
}

void add_links(net::HttpResponse& response, const HttpRequest& request, const std::optional<std::string>& next) {
    auto links = link(request, "first", std::nullopt) + ", " + link(request, "current", request.param("cursor"));
    if (next) links += ", " + link(request, "next", next);
    response.headers.emplace_back("Link", std::move(links));
}

}  // namespace server
