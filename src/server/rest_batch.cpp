#include <algorithm>

#include "base/limits.hpp"
#include "protocol/batch.hpp"
#include "realtime/drafts.hpp"
#include "server/publishing.hpp"
#include "server/routes.hpp"

/// Many channels at once (RSC22, RSC24): each succeeds or fails by itself.
namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;
using protocol::BatchPresenceResult;
using protocol::BatchPublishResult;

namespace {

/// A batch on its way; its answer goes out when no result is missing.
struct PublishRun {
    Call call;
    protocol::BatchPublish batch;
    std::vector<std::vector<BatchPublishResult>> results;  // of each spec, by channel
    std::size_t missing = 0;

    void have(BatchPublishResult& place, BatchPublishResult result) {
        place = std::move(result);
        if (--missing == 0) answer();
    }

private:
    void answer() {
        const auto format = call.format;
        if (call.version >= batch_counts_from_version) {
            auto body = batch.several ? encode_batches(format, results) : encode_batch(format, results.front());
            return call.reply(respond(format, 201, std::move(body)));
        }
        std::vector<BatchPublishResult> all;
        for (auto& each : results) std::ranges::move(each, std::back_inserter(all));
        call.reply(respond(format, has_failures(all) ? 400 : 201, encode_flat_batch(format, all)));
    }
};

struct PresenceRun {
    Call call;
    std::vector<BatchPresenceResult> results;
    std::size_t missing = 0;

    void have(BatchPresenceResult& place, BatchPresenceResult result) {
        place = std::move(result);
        if (--missing > 0) return;
        if (call.version >= batch_counts_from_version) return call.reply(respond(call.format, 200, encode_batch(call.format, results)));
        call.reply(respond(call.format, has_failures(results) ? 400 : 200, encode_flat_batch(call.format, results)));
    }
};

Result<void> check_channel_count(std::size_t channels) {
    if (channels >= 1 && channels <= base::limits::batch_channels_max) return {};
    return fail(ErrorCode::bad_request, "A batch concerns 1 to {} channels", base::limits::batch_channels_max);
}

void publish_each(realtime::Hub& hub, const std::shared_ptr<PublishRun>& run, const Publisher& publisher) {
    for (std::size_t i = 0; i < run->batch.specs.size(); ++i) {
        const auto& [channels, messages] = run->batch.specs[i];
        for (std::size_t j = 0; j < channels.size(); ++j) {
            auto& place = run->results[i][j];
            const auto channel = access(publisher.identity, channels[j], realtime::publishing);
            if (!channel) {
                run->have(place, {.channel = channels[j], .error = channel.error()});
                continue;
            }
            auto draft = draft_of(publisher, *channel, messages);
            if (!draft) {
                run->have(place, {.channel = channels[j], .error = draft.error()});
                continue;
            }
            BatchPublishResult published{.channel = channels[j], .message_id = message_id_of(*draft)};
            publish(hub, publisher, *channel, *std::move(draft),
                    [run, &place, published = std::move(published)](Result<std::vector<std::string>> serials) mutable {
                        if (!serials) return run->have(place, {.channel = published.channel, .error = serials.error()});
                        published.serials = *std::move(serials);
                        run->have(place, std::move(published));
                    });
        }
    }
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < list.size();) {
        const auto comma = std::min(list.find(',', at), list.size());
        parts.emplace_back(list.substr(at, comma - at));
        at = comma + 1;
    }
    return parts;
}

}  // namespace

void Routes::publish_batch(Call call) {
    auto batch = protocol::decode_batch(format_sent(call.request), call.request.body);
    if (!batch) return call.refuse(batch.error());
    auto run = std::make_shared<PublishRun>(PublishRun{.call = std::move(call), .batch = *std::move(batch)});
    std::vector<protocol::Message> all;
    for (const auto& spec : run->batch.specs) {
        run->results.emplace_back(spec.channels.size());
        run->missing += spec.channels.size();
        std::ranges::copy(spec.messages, std::back_inserter(all));
    }
    if (const auto right = check_channel_count(run->missing); !right) return run->call.refuse(right.error());
    const auto key = connection_key_of(all);
    if (!key) return run->call.refuse(key.error());
    find_publisher(hub_, run->call.identity, *key, [this, run](Result<Publisher> publisher) {
        if (!publisher) return run->call.refuse(publisher.error());
        publish_each(hub_, run, *publisher);
    });
}

void Routes::presence_batch(Call call) {
    const auto channels = split(call.request.param("channels").value_or(""));
    if (const auto right = check_channel_count(channels.size()); !right) return call.refuse(right.error());
    auto run = std::make_shared<PresenceRun>(PresenceRun{
        .call = std::move(call), .results = std::vector<BatchPresenceResult>(channels.size()), .missing = channels.size()});
    for (std::size_t i = 0; i < channels.size(); ++i) {
        auto& place = run->results[i];
        const auto channel = access(run->call.identity, channels[i], {auth::Operation::presence, auth::Operation::subscribe});
        if (!channel) {
            run->have(place, {.channel = channels[i], .error = channel.error()});
            continue;
        }
        hub_.presence(channel->address, [run, &place, name = channels[i]](Result<std::vector<protocol::PresenceMessage>> members) {
            if (!members) return run->have(place, {.channel = name, .error = members.error()});
            run->have(place, {.channel = name, .presence = *std::move(members)});
        });
    }
}

}  // namespace server
