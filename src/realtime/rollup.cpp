#include "realtime/rollup.hpp"

#include <algorithm>

namespace realtime {

using protocol::MessageAction;

bool Rollup::takes(const broker::Draft& draft) const {
    return window_.count() > 0 && draft.change && draft.message.messages.size() == 1 &&
           draft.message.messages.front().action == MessageAction::append;
}

void Rollup::add(std::int64_t msg_serial, broker::Draft&& draft, Time now, Out& out) {
    const Key key{draft.message.channel, draft.message.messages.front().serial};
    const auto found = windows_.find(key);
    if (found == windows_.end() || found->second.end <= now) {
        if (found != windows_.end()) leave(found->second, out);
        out.push_back({std::move(draft), {msg_serial}});
        // Where there is no room for another window, there is none.
        if (found != windows_.end()) found->second.end = now + window_;
        else if (windows_.size() < rollup_windows_max) windows_.emplace(key, Window{.end = now + window_, .waiting = {}});
        return;
    }
    auto& window = found->second;
    if (window.waiting) bytes_ -= bytes_of(*window.waiting);
    if (window.waiting && join(*window.waiting, draft)) {
        window.waiting->msg_serials.push_back(msg_serial);
    } else {
        if (window.waiting) out.push_back(*std::exchange(window.waiting, {}));
        window.waiting = Leaving{std::move(draft), {msg_serial}};
    }
    bytes_ += bytes_of(*window.waiting);
    if (bytes_ > rollup_bytes_max) leave(window, out);
}

/// As if one append had said both: its data one behind the other, and of all else what was said last. False when that cannot be.
bool Rollup::join(Leaving& waiting, const broker::Draft& next) {
    auto& [draft, msg_serials] = waiting;
    auto& whole = draft.message.messages.front();
    const auto& tail = next.message.messages.front();
    const bool alike = whole.encoding == tail.encoding && whole.data.index() == tail.data.index() && whole.version && tail.version &&
                       whole.version->client_id == tail.version->client_id && !next.change->expected_version;
    if (!alike || size_of(whole) + size_of(tail) > next.change->bytes_max) return false;
    if (auto* text = std::get_if<std::string>(&whole.data)) *text += std::get<std::string>(tail.data);
    if (auto* binary = std::get_if<protocol::Binary>(&whole.data)) binary->bytes += std::get<protocol::Binary>(tail.data).bytes;
    if (!tail.name.empty()) whole.name = tail.name;
    if (!tail.extras.text.empty()) whole.extras = tail.extras;
    if (!tail.version->description.empty()) whole.version->description = tail.version->description;
    if (!tail.version->metadata.text.empty()) whole.version->metadata = tail.version->metadata;
    return true;
}

void Rollup::leave(Window& window, Out& out) {
    if (!window.waiting) return;
    bytes_ -= bytes_of(*window.waiting);
    out.push_back(*std::exchange(window.waiting, {}));
}

void Rollup::flush(const std::string& channel, Out& out) {
    for (auto each = windows_.lower_bound({channel, {}}); each != windows_.end() && each->first.first == channel; ++each) {
        leave(each->second, out);
    }
}

void Rollup::flush_all(Out& out) {
    for (auto& [key, window] : windows_) leave(window, out);
    windows_.clear();
}

void Rollup::end_windows(Time now, Out& out) {
    for (auto each = windows_.begin(); each != windows_.end();) {
        auto& window = each->second;
        if (window.end <= now && !window.waiting) {
            each = windows_.erase(each);
            continue;
        }
        if (window.end <= now) {
            leave(window, out);
            window.end = now + window_;
        }
        ++each;
    }
}

std::optional<Time> Rollup::next_end() const {
    std::optional<Time> first;
    for (const auto& [key, window] : windows_) {
        if (!first || window.end < *first) first = window.end;
    }
    return first;
}

}  // namespace realtime
