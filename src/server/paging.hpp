#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "net/http.hpp"
#include "protocol/error_codes.hpp"

/// What all paged resources have in common (RSL2b, RSP3a, RSC6b): parameters, and Link headers (TG, RSC19d).
namespace server {

/// `limit`, 1 to limits::page_max. Error: invalid_parameter_value.
base::Result<std::size_t> limit_param(const net::HttpRequest& request);

/// `direction`: is it forwards? When it is not said, it is `otherwise`. Error: invalid_parameter_value.
base::Result<bool> forwards_param(const net::HttpRequest& request, std::string_view otherwise = "backwards");

/// `start` and `end`, in ms. Error: invalid_parameter_value, also when they are the wrong way round.
struct Period {
    std::optional<base::Time> start, end;
};
base::Result<Period> period_params(const net::HttpRequest& request);

/// Adds the links to the first page, to this one, and to the one that `next` is the cursor of.
void add_links(net::HttpResponse& response, const net::HttpRequest& request, const std::optional<std::string>& next);

}  // namespace server
