#pragma once

#include <string_view>

#include <fmt/format.h>

/// The log is a line per change of state, as fields: `at=attach conn=Xk3 channel=room:7 resumed=true`. It goes to standard
/// error. No line holds a payload, a key or a token. Any thread.
namespace base::log {

enum class Level { debug, info, warn, error };

void set_level(Level level);
/// By its name; false when there is none such.
bool set_level(std::string_view name);
bool enabled(Level level);
void write(Level level, std::string_view line);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
/// Something an operator should act on.
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::warn)) write(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}
/// Data was lost or reordered, or we cannot go on.
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace base::log
