#include "protocol/batch.hpp"

#include <algorithm>

#include "protocol/decoder.hpp"
#include "protocol/encoder.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"
#include "protocol/msgpack_reader.hpp"
#include "protocol/msgpack_writer.hpp"

namespace protocol {
namespace {

template <class Result>
struct Batch {
    const std::vector<Result>& results;
};
template <class Result>
struct FailedBatch {
    ErrorInfo error;
    const std::vector<Result>& results;
};

template <class Result>
std::int64_t failures(const std::vector<Result>& results) {
    return std::ranges::count_if(results, [](const Result& each) { return each.error.has_value(); });
}

}  // namespace

template <class V>
void visit(BatchPublishSpec& spec, V&& v) {
    v("channels", OneOrMore{spec.channels});
    v("messages", OneOrMore{spec.messages});
}

template <class V>
void visit(const BatchPublishResult& result, V&& v) {
    v("channel", result.channel);
    v("messageId", result.message_id);
    v("serials", result.serials);
    v("error", result.error);
}

template <class V>
void visit(const BatchPresenceResult& result, V&& v) {
    v("channel", result.channel);
    v("presence", result.presence);
    v("error", result.error);
}

template <class V>
void visit(RevocationRequest& request, V&& v) {
    v("targets", request.targets);
    v("issuedBefore", request.issued_before_ms);
    v("allowReauthMargin", request.allow_reauth_margin);
}

template <class V>
void visit(const RevocationResult& result, V&& v) {
    v("target", result.target);
    v("issuedBefore", result.issued_before_ms);
    v("appliesAt", result.applies_at_ms);
    v("error", result.error);
}

template <class Result, class V>
void visit(const Batch<Result>& batch, V&& v) {
    const auto failed = failures(batch.results);
    v("successCount", std::optional{static_cast<std::int64_t>(batch.results.size()) - failed});
    v("failureCount", std::optional{failed});
    v("results", batch.results);
}

template <class Result, class V>
void visit(const FailedBatch<Result>& batch, V&& v) {
    v("error", std::optional{batch.error});
    v("batchResponse", batch.results);
}

namespace {

template <class T>
std::string encoded(Format format, const T& value) {
    std::string out;
    if (format == Format::json)
        Encoder<JsonWriter>{out}.value(value);
    else
        Encoder<MsgpackWriter>{out}.value(value);
    return out;
}

template <class Result>
std::string flat(Format format, const std::vector<Result>& results) {
    if (!has_failures(results)) return encoded(format, results);
    return encoded(format, FailedBatch<Result>{{ErrorCode::batch_error, "Some of the batch failed"}, results});
}

template <class Reader>
Result<BatchPublish> decoded(std::string_view bytes) {
    Decoder<Reader> decoder{bytes};
    if (decoder.kind() == Kind::array) {
        auto specs = decoder.template whole_input<std::vector<BatchPublishSpec>>();
        if (!specs) return std::unexpected(std::move(specs.error()));
        return BatchPublish{*std::move(specs), true};
    }
    auto spec = decoder.template whole_input<BatchPublishSpec>();
    if (!spec) return std::unexpected(std::move(spec.error()));
    return BatchPublish{{*std::move(spec)}, false};
}

}  // namespace

Result<BatchPublish> decode_batch(Format format, std::string_view bytes) {
    return format == Format::json ? decoded<JsonReader>(bytes) : decoded<MsgpackReader>(bytes);
}

Result<RevocationRequest> decode_revocation(Format format, std::string_view bytes) {
    return format == Format::json ? Decoder<JsonReader>{bytes}.whole_input<RevocationRequest>()
                                  : Decoder<MsgpackReader>{bytes}.whole_input<RevocationRequest>();
}

std::string encode_batch(Format format, const std::vector<BatchPublishResult>& results) { return encoded(format, Batch{results}); }
std::string encode_batch(Format format, const std::vector<BatchPresenceResult>& results) { return encoded(format, Batch{results}); }

std::string encode_batch(Format format, const std::vector<RevocationResult>& results) { return encoded(format, Batch{results}); }

std::string encode_batches(Format format, const std::vector<std::vector<BatchPublishResult>>& results) {
    std::vector<Batch<BatchPublishResult>> batches;
    for (const auto& each : results) batches.push_back({each});
    return encoded(format, batches);
}

std::string encode_flat_batch(Format format, const std::vector<BatchPublishResult>& results) { return flat(format, results); }
std::string encode_flat_batch(Format format, const std::vector<BatchPresenceResult>& results) { return flat(format, results); }
std::string encode_flat_batch(Format format, const std::vector<RevocationResult>& results) { return flat(format, results); }

}  // namespace protocol
