#include "rest/answer.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace rest {
namespace {

namespace json = boost::json;
using base::Result;

constexpr std::size_t reason_bytes_max = 300;

/// What an endpoint says goes into a log line: one line of it, without quotes.
std::string tidy(std::string_view text) {
    std::string line{text.substr(0, reason_bytes_max)};
    std::ranges::replace_if(
        line, [](unsigned char c) { return c < 0x20 || c == '"' || c == 0x7f; }, ' ');
    return line;
}

json::value parse(std::string_view body) {
    boost::system::error_code malformed;
    auto value = json::parse(body, malformed);
    return malformed ? json::value{} : value;
}

/// {"code":…,"statusCode":…,"message":…}
Refusal read_error(const json::value& value, int status) {
    Refusal refusal{.status = status, .code = 0, .message = "it did not say why", .retry_after = {}};
    const auto* error = value.if_object();
    if (!error) return refusal;
    const auto number = [&](std::string_view name, int otherwise) {
        const auto* found = error->if_contains(name);
        return found && found->is_int64() ? static_cast<int>(found->get_int64()) : otherwise;
    };
    refusal.code = number("code", 0);
    const int of_code = refusal.code >= 40'000 && refusal.code < 60'000 ? refusal.code / 100 : status;
    refusal.status = number("statusCode", of_code);
    if (const auto* message = error->if_contains("message"); message && message->is_string())
        refusal.message = tidy(message->get_string());
    return refusal;
}

std::optional<std::chrono::milliseconds> retry_after(const HttpAnswer& answer) {
    const auto text = answer.header("retry-after");
    unsigned seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;  // or a date, which nobody sends
    return std::min<std::chrono::milliseconds>(std::chrono::seconds{seconds}, base::limits::retry_after_max);
}

/// The result for each parcel's one channel; nothing when that is not what it is.
std::optional<std::vector<std::optional<Refusal>>> read_results(const json::value& body, std::size_t parcels) {
    const auto* batches = body.if_array();
    if (!batches || batches->size() != parcels) return std::nullopt;
    std::vector<std::optional<Refusal>> outcomes;
    for (const auto& batch : *batches) {
        const auto* object = batch.if_object();
        const auto* results = object ? object->if_contains("results") : nullptr;
        if (!results || !results->is_array() || results->get_array().size() != 1) return std::nullopt;
        const auto* result = results->get_array().front().if_object();
        if (!result) return std::nullopt;
        const auto* error = result->if_contains("error");
        outcomes.push_back(error ? std::optional{read_error(*error, 500)} : std::nullopt);
    }
    return outcomes;
}

}  // namespace

std::optional<Refusal> refusal_of(const Result<HttpAnswer>& answer) {
    if (!answer) return Refusal{.status = 0, .code = 0, .message = tidy(answer.error().message), .retry_after = {}};
    if (answer->status >= 200 && answer->status < 300) return std::nullopt;
    const auto body = parse(answer->body);
    const auto* object = body.if_object();
    const auto* error = object ? object->if_contains("error") : nullptr;
    auto refusal = read_error(error ? *error : json::value{}, answer->status);
    refusal.status = answer->status;
    refusal.retry_after = retry_after(*answer);
    return refusal;
}

Outcome outcome_of(const Result<HttpAnswer>& answer, std::size_t parcels) {
    if (auto refusal = refusal_of(answer)) return {.request = std::move(refusal), .parcels = {}, .keeps_order = false};
    auto results = read_results(parse(answer->body), parcels);
    if (!results) {
        return {.request = Refusal{.status = 0, .code = 0, .message = "the answer is not that of a batch", .retry_after = {}},
                .parcels = {},
                .keeps_order = false};
    }
    return {.request = {}, .parcels = *std::move(results), .keeps_order = answer->header(order_header) == "kept"};
}

}  // namespace rest
