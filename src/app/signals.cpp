#include "app/signals.hpp"

#include <csignal>

namespace app {
namespace {

sigset_t stop_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    return set;
}

sigset_t all_signals() {
    auto set = stop_signals();
    ::sigaddset(&set, SIGHUP);
    return set;
}

}  // namespace

void block_signals() {
    const auto set = all_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signal wait_for_signal() {
    const auto set = all_signals();
    int signal = 0;
    while (::sigwait(&set, &signal) != 0) {
    }
    return signal == SIGHUP ? Signal::reload : Signal::stop;
}

void block_stop_signals() {
    const auto set = stop_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void wait_for_stop_signal() {
    const auto set = stop_signals();
    int signal = 0;
    while (::sigwait(&set, &signal) != 0) {
    }
}

bool stop_signal_within(std::chrono::milliseconds time) {
    const auto set = stop_signals();
    const timespec limit{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
    return ::sigtimedwait(&set, nullptr, &limit) > 0;
}

}  // namespace app
