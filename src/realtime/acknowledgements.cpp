#include "realtime/acknowledgements.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace realtime {

using protocol::Action;

void Acknowledgements::answer(std::int64_t msg_serial, Result<std::vector<std::string>> serials) {
    const auto unanswered = waiting_.begin() + static_cast<std::ptrdiff_t>(answered_);
    const auto is_it = [&](const auto& each) { return each.msg_serial == msg_serial && !each.answer; };
    const auto found = std::find_if(unanswered, waiting_.end(), is_it);
    if (found == waiting_.end()) return;  // the client came back in the meantime
    found->answer = std::move(serials);
    const auto next = std::find_if(unanswered, waiting_.end(), [](const auto& each) { return !each.answer; });
    answered_ += static_cast<std::size_t>(next - unanswered);
}

void Acknowledgements::send(Outbox& out) {
    for (; answered_ > 0 && !*waiting_.front().answer; --answered_) {
        auto& first = waiting_.front();
        out.send({.action = Action::nack, .count = 1, .msg_serial = first.msg_serial, .error = first.answer->error()});
        waiting_.pop_front();
    }
    if (answered_ == 0) return;
    protocol::ProtocolMessage ack{.action = Action::ack, .msg_serial = waiting_.front().msg_serial};
    const auto most = std::min(answered_, base::limits::results_per_ack_max);
    ack.res.reserve(most);
    std::size_t serials = 0;
    for (; answered_ > 0; --answered_) {
        auto& next = waiting_.front();
        if (!*next.answer || next.msg_serial != *ack.msg_serial + ack.count || ack.res.size() == most) break;
        serials += (*next.answer)->size();
        if (ack.count > 0 && serials > base::limits::serials_per_ack_max) break;
        ack.res.push_back({.serials = std::move(**next.answer)});
        ++ack.count;
        waiting_.pop_front();
    }
    out.send(std::move(ack));
    send(out);
}

}  // namespace realtime
