#include "app/hub_sink.hpp"

namespace app {

void HubSink::publish(std::string address, broker::Draft draft, Done done) {
    const auto home = realtime::home_of(address, mesh_.size());
    auto& batch = batches_[home];
    if (!batch) batch = std::make_shared<Batch>(Batch{.back = shard_, .changes = {}});
    batch->changes.push_back(
        {.batch = *batch, .address = std::move(address), .draft = std::move(draft), .done = std::move(done), .result = {}});
    if (batch->changes.size() == batch_max) return send(home);
    if (std::exchange(sends_soon_, true)) return;
    shard_.post([this] {
        sends_soon_ = false;
        for (std::size_t each = 0; each < batches_.size(); ++each) send(each);
    });
}

void HubSink::send(std::size_t home) {
    if (auto batch = std::exchange(batches_[home], nullptr))
        mesh_.post(home, [batch = std::move(batch)](realtime::Hub& hub) { publish(batch, hub); });
}

void HubSink::publish(const BatchPtr& batch, realtime::Hub& hub) {
    batch->unanswered = batch->changes.size();
    for (auto& each : batch->changes) {
        hub.publish(each.address, std::move(each.draft), {},
                    [change = std::shared_ptr<Change>{batch, &each}](base::Result<std::vector<std::string>> serials) {
                        if (!serials) change->result = std::unexpected(serials.error());
                        if (--change->batch.unanswered == 0) answered({change, &change->batch});
                    });
    }
}

void HubSink::answered(BatchPtr batch) {
    auto& back = batch->back;
    back.post([batch = std::move(batch)] {
        for (auto& change : batch->changes) change.done(std::move(change.result));
    });
}

}  // namespace app
