#include "realtime/acknowledgements.hpp"

namespace realtime {

using protocol::Action;

/// A run of successes takes one ACK.
void Acknowledgements::answer(std::int64_t msg_serial, Result<std::vector<std::string>> serials, Outbox& out) {
    for (auto& each : waiting_) {
        if (each.msg_serial != msg_serial || each.answer) continue;
        each.answer = std::move(serials);
        break;
    }
    while (!waiting_.empty() && waiting_.front().answer) {
        auto& first = waiting_.front();
        if (!*first.answer) {
            out.send({.action = Action::nack, .count = 1, .msg_serial = first.msg_serial, .error = first.answer->error()});
            waiting_.pop_front();
            continue;
        }
        protocol::ProtocolMessage ack{.action = Action::ack, .msg_serial = first.msg_serial};
        while (!waiting_.empty()) {
            auto& next = waiting_.front();
            if (!next.answer || !*next.answer || next.msg_serial != *ack.msg_serial + ack.count) break;
            ack.res.push_back({.serials = std::move(**next.answer)});
            ++ack.count;
            waiting_.pop_front();
        }
        out.send(std::move(ack));
    }
}

}  // namespace realtime
