#pragma once

#include <chrono>
#include <cstdint>

namespace app {

/// Blocks SIGINT and SIGTERM in this thread and those it starts; call before any is started.
void block_stop_signals();
/// … and SIGHUP too, for wait_for_signal().
void block_signals();
enum class Signal : std::uint8_t { stop, reload };
/// Waits for SIGINT or SIGTERM, or SIGHUP.
Signal wait_for_signal();
/// Waits for SIGINT or SIGTERM.
void wait_for_stop_signal();
/// Waits that long for one; true when one came.
bool stop_signal_within(std::chrono::milliseconds time);

}  // namespace app
