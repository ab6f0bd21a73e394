#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fifo.hpp"
#include "realtime/requests.hpp"

namespace realtime {

/// A client's publishes that were not answered yet, in the order received, which is the order ACKs go out in (RTN7a).
class Acknowledgements {
public:
    /// One more is under way.
    void expect(std::int64_t msg_serial) { waiting_.push_back({msg_serial, std::nullopt}); }
    /// The serials its messages were given, or why it was refused.
    void answer(std::int64_t msg_serial, Result<std::vector<std::string>> serials);
    /// What can be sent by now: a run of successes takes one ACK, up to results_per_ack_max and serials_per_ack_max.
    void send(Outbox& out);
    void clear() {
        waiting_.clear();
        answered_ = 0;
    }
    std::size_t size() const { return waiting_.size(); }

private:
    struct Publish {
        std::int64_t msg_serial;
        std::optional<Result<std::vector<std::string>>> answer;
    };
    base::Fifo<Publish> waiting_;
    std::size_t answered_ = 0;  // so many at the front have their answers
};

}  // namespace realtime
