#pragma once

#include <optional>
#include <string>

#include "broker/broker.hpp"

namespace broker {

/// Keeps the messages of persisted channels beyond the retention window and any process. One per shard, for the channels whose home
/// it is; called and calling back there. What is asked for behind what is kept sees it.
class Archive {
public:
    virtual ~Archive() = default;

    /// Before something is ordered: an error refuses it. Error: unavailable, when too much waits to be written.
    virtual Result<void> admit() const = 0;
    /// Ordered entries, in order; without an entry, nothing but what came before. `done` is called once, when they are kept for
    /// good: until then it is tried again.
    using Kept = std::move_only_function<void()>;
    virtual void keep(const std::string& address, const Published& published, Kept done) = 0;

    /// As Broker::history and Broker::look_up. Errors: those, and unavailable.
    virtual void history(const std::string& address, HistoryQuery query, HistoryDone done) = 0;
    virtual void look_up(const std::string& address, std::string serial, RecordDone done) = 0;
    /// The serial that what was said got, if it is kept. Error: unavailable.
    using FindDone = std::move_only_function<void(Result<std::optional<std::string>>)>;
    virtual void find(const std::string& address, Said said, FindDone done) = 0;
};

}  // namespace broker
