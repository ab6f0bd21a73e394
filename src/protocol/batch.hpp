#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message.hpp"

/// Requests that concern many channels at once, and what came of each (BSP, BPR, BPF, BGR, BGF, BAR).
namespace protocol {

/// BSP2: all of the messages go to each of the channels.
struct BatchPublishSpec {
    std::vector<std::string> channels;
    std::vector<Message> messages;
    friend bool operator==(const BatchPublishSpec&, const BatchPublishSpec&) = default;
};
struct BatchPublish {
    std::vector<BatchPublishSpec> specs;
    bool several = false;  // given as a list: the answer is one too
    friend bool operator==(const BatchPublish&, const BatchPublish&) = default;
};
/// Errors as decode().
Result<BatchPublish> decode_batch(Format format, std::string_view bytes);

/// BPR2, or BPF2 when there is an error.
struct BatchPublishResult {
    std::string channel, message_id;
    std::vector<std::string> serials;
    std::optional<ErrorInfo> error;
};
/// BGR2, or BGF2 when there is an error.
struct BatchPresenceResult {
    std::string channel;
    std::optional<std::vector<PresenceMessage>> presence;
    std::optional<ErrorInfo> error;
};

/// The body of POST /keys/{keyName}/revokeTokens (RSA17).
struct RevocationRequest {
    std::vector<std::string> targets;
    std::optional<std::int64_t> issued_before_ms;
    bool allow_reauth_margin = false;
    friend bool operator==(const RevocationRequest&, const RevocationRequest&) = default;
};
/// Errors as decode().
Result<RevocationRequest> decode_revocation(Format format, std::string_view bytes);

/// TRS2, or TRF2 when there is an error.
struct RevocationResult {
    std::string target;
    std::optional<std::int64_t> issued_before_ms, applies_at_ms;
    std::optional<ErrorInfo> error;
};

template <class Result>
bool has_failures(const std::vector<Result>& results) {
    return std::ranges::any_of(results, [](const Result& each) { return each.error.has_value(); });
}

/// BAR2, with its counts of successes and failures.
std::string encode_batch(Format format, const std::vector<BatchPublishResult>& results);
std::string encode_batch(Format format, const std::vector<BatchPresenceResult>& results);
std::string encode_batch(Format format, const std::vector<RevocationResult>& results);
/// One for each spec.
std::string encode_batches(Format format, const std::vector<std::vector<BatchPublishResult>>& results);

/// As it was before protocol version 3: the results alone or, when there are errors among them, as the batchResponse of one.
std::string encode_flat_batch(Format format, const std::vector<BatchPublishResult>& results);
std::string encode_flat_batch(Format format, const std::vector<BatchPresenceResult>& results);
std::string encode_flat_batch(Format format, const std::vector<RevocationResult>& results);

}  // namespace protocol
