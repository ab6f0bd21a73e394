#pragma once

#include "rest/http_client.hpp"
#include "rest/publish_queue.hpp"

namespace rest {

/// The header that asks for a batch's order to be kept, and says that it was.
inline constexpr std::string_view order_header = "palimpsest-order";

/// What an answer to POST /messages with that many parcels says (BAR2, BPR2, BPF2).
Outcome outcome_of(const base::Result<HttpAnswer>& answer, std::size_t parcels);
/// Why a call was refused; nothing when it was not.
std::optional<Refusal> refusal_of(const base::Result<HttpAnswer>& answer);

}  // namespace rest
