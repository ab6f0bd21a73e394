#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace app {

/// SIGINT and SIGTERM, or SIGHUP.
enum class Signal : std::uint8_t { stop, reload };

/// Blocks them in this thread and those it starts; call before any is started.
void block_signals();
/// Waits that long for one.
std::optional<Signal> signal_within(std::chrono::milliseconds time);
/// Waits for one.
Signal wait_for_signal();
/// Waits that long for one that says stop; true when one came. Who wants to reload waits.
bool stop_signal_within(std::chrono::milliseconds time);
/// Waits for one that says stop, where there is nothing to reload.
void wait_for_stop_signal();

}  // namespace app
