#pragma once

#include "protocol/filter.hpp"

namespace protocol {

/// Grammar: docs/formats.md, "Filters". Errors: invalid_channel_name; also for what is longer than a channel name, or nested deeper
/// than limits::filter_nesting_max.
Result<Filter::Expression> parse_filter(std::string_view text);

}  // namespace protocol
