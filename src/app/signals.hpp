#pragma once

#include <chrono>

namespace app {

/// Blocks SIGINT and SIGTERM in this thread and those it starts; call before any is started.
void block_stop_signals();
/// Waits for SIGINT or SIGTERM.
void wait_for_stop_signal();
/// Waits that long for one; true when one came.
bool stop_signal_within(std::chrono::milliseconds time);

}  // namespace app
