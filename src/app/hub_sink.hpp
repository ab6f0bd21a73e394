#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connector/connector.hpp"
#include "net/shard.hpp"
#include "realtime/hub.hpp"

namespace app {

/// A connector::Sink into the hubs of this process. What comes in one turn of the connector's shard goes to each channel's home together,
/// and the answers come back together: a hop between threads costs as much as a change. Of the connector's shard.
class HubSink {
public:
    /// Both outlive it, and whatever is on its way.
    HubSink(net::Shard& shard, realtime::Mesh& mesh) : shard_(shard), mesh_(mesh), batches_(mesh.size()) {}

    using Done = std::move_only_function<void(base::Result<void>)>;
    void publish(std::string address, broker::Draft draft, Done done);

private:
    static constexpr std::size_t batch_max = 256;  // then it goes at once, so that the other side has something to do

    struct Batch;
    struct Change {
        Batch& batch;
        std::string address;
        broker::Draft draft;
        Done done;
        base::Result<void> result;
    };
    /// Made here, then the home's until all is answered.
    struct Batch {
        net::Shard& back;
        std::vector<Change> changes;
        std::size_t unanswered = 0;
    };
    using BatchPtr = std::shared_ptr<Batch>;

    void send(std::size_t home);
    static void publish(const BatchPtr& batch, realtime::Hub& hub);
    static void answered(BatchPtr batch);

    net::Shard& shard_;
    realtime::Mesh& mesh_;
    std::vector<BatchPtr> batches_;  // by home; null where nothing has come in this turn
    bool sends_soon_ = false;
};

}  // namespace app
