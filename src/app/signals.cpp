#include "app/signals.hpp"

#include <algorithm>
#include <csignal>
#include <initializer_list>

#include "base/log.hpp"

namespace app {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const auto signal : signals) ::sigaddset(&set, signal);
    return set;
}

const sigset_t all = set_of({SIGINT, SIGTERM, SIGHUP}), to_stop = set_of({SIGINT, SIGTERM});

/// 0 when none came.
int wait_within(const sigset_t& set, std::chrono::milliseconds time) {
    const timespec limit{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
    return std::max(0, ::sigtimedwait(&set, nullptr, &limit));
}

}  // namespace

void block_signals() { ::pthread_sigmask(SIG_BLOCK, &all, nullptr); }

std::optional<Signal> signal_within(std::chrono::milliseconds time) {
    const auto signal = wait_within(all, time);
    if (signal == 0) return std::nullopt;
    return signal == SIGHUP ? Signal::reload : Signal::stop;
}

Signal wait_for_signal() {
    for (;;) {
        if (const auto signal = signal_within(std::chrono::hours{1})) return *signal;
    }
}

bool stop_signal_within(std::chrono::milliseconds time) { return wait_within(to_stop, time) > 0; }

void wait_for_stop_signal() {
    while (wait_for_signal() == Signal::reload) base::log::warn("at=reload_ignored reason=\"there is nothing to read again\"");
}

}  // namespace app
