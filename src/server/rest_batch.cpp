#include <algorithm>
#include <deque>
#include <map>

#include "base/limits.hpp"
#include "protocol/batch.hpp"
#include "protocol/frame_size.hpp"
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
    bool in_order = false;

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
    std::size_t missing = 0, bytes = 0;

    void have(BatchPresenceResult& place, BatchPresenceResult result) {
        const auto more = result.presence ? protocol::encoded_bytes_most(*result.presence) : 0;
        if (bytes + more > base::limits::page_bytes_max) {
            result.presence.reset();
            result.error = base::Error{ErrorCode::bad_request,
                                       fmt::format("The answer would exceed {} bytes: ask for this channel's members page by page",
                                                   base::limits::page_bytes_max)};
        } else {
            bytes += more;
        }
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

using Parcel = std::pair<std::size_t, std::size_t>;  // a spec, and a channel of it

/// Tells `done` whether it was published, when its result is in place.
void publish_one(realtime::Hub& hub, const std::shared_ptr<PublishRun>& run, const Publisher& publisher, Parcel parcel,
                 std::move_only_function<void(bool)> done) {
    const auto& [channels, messages] = run->batch.specs[parcel.first];
    const auto& name = channels[parcel.second];
    auto& place = run->results[parcel.first][parcel.second];
    const auto fail_with = [&](const base::Error& error) {
        run->have(place, {.channel = name, .error = error});
        done(false);
    };
    const auto channel = access(publisher.identity, name, realtime::publishing);
    if (!channel) return fail_with(channel.error());
    auto draft = draft_of(publisher, *channel, messages);
    if (!draft) return fail_with(draft.error());
    BatchPublishResult published{.channel = name, .message_id = message_id_of(*draft)};
    publish(hub, publisher, *channel, *std::move(draft),
            [run, &place, published = std::move(published), done = std::move(done)](Result<std::vector<std::string>> serials) mutable {
                const bool ok = serials.has_value();
                if (ok) {
                    published.serials = *std::move(serials);
                    run->have(place, std::move(published));
                } else {
                    run->have(place, {.channel = published.channel, .error = serials.error()});
                }
                done(ok);
            });
}

void publish_each(realtime::Hub& hub, const std::shared_ptr<PublishRun>& run, const Publisher& publisher) {
    for (std::size_t i = 0; i < run->batch.specs.size(); ++i) {
        for (std::size_t j = 0; j < run->batch.specs[i].channels.size(); ++j) publish_one(hub, run, publisher, {i, j}, [](bool) {});
    }
}

/// What a batch has for one channel, one after the other. When one fails, those behind it do too: who repeats them keeps their order.
void publish_in_order(realtime::Hub& hub, std::shared_ptr<PublishRun> run, Publisher publisher, std::deque<Parcel> parcels) {
    if (parcels.empty()) return;
    const auto first = parcels.front();
    parcels.pop_front();
    publish_one(hub, run, publisher, first, [&hub, run, publisher, parcels = std::move(parcels)](bool ok) mutable {
        if (ok) return publish_in_order(hub, std::move(run), std::move(publisher), std::move(parcels));
        for (const auto& [i, j] : parcels) {
            base::Error behind{ErrorCode::unavailable, "One before it on this channel was not published"};
            run->have(run->results[i][j], {.channel = run->batch.specs[i].channels[j], .error = std::move(behind)});
        }
    });
}

void publish_each_in_order(realtime::Hub& hub, const std::shared_ptr<PublishRun>& run, const Publisher& publisher) {
    std::map<std::string, std::deque<Parcel>> by_channel;
    for (std::size_t i = 0; i < run->batch.specs.size(); ++i) {
        const auto& channels = run->batch.specs[i].channels;
        for (std::size_t j = 0; j < channels.size(); ++j) by_channel[channels[j]].emplace_back(i, j);
    }
    for (auto& [channel, parcels] : by_channel) publish_in_order(hub, run, publisher, std::move(parcels));
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
    const bool in_order = call.request.header("palimpsest-order") == "keep";
    if (in_order) {
        call.reply = [reply = std::move(call.reply)](net::HttpResponse response) mutable {
            response.headers.emplace_back("Palimpsest-Order", "kept");
            reply(std::move(response));
        };
    }
    auto run = std::make_shared<PublishRun>(PublishRun{.call = std::move(call), .batch = *std::move(batch)});
    run->in_order = in_order;
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
        if (run->in_order) publish_each_in_order(hub_, run, *publisher);
        else publish_each(hub_, run, *publisher);
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
