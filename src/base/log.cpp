#include "base/log.hpp"

#include <algorithm>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/code_point.hpp"

namespace base::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warn: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>("palimpsest", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc);
        made->set_level(spdlog::level::info);
        made->flush_on(spdlog::level::debug);
        return made;
    }();
    return *instance;
}

bool is_in_word(char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '='; }

/// What a terminal or a log reader may take for the end of a line, or that turns or hides the text beside it.
bool misleads(char32_t c) {
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return true;                               // control characters
    if (c == 0xAD || c == 0x061C || c == 0xFEFF) return true;                           // soft hyphen, marks of direction, BOM
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F);
}

}  // namespace

void set_level(Level level) { logger().set_level(to_spdlog(level)); }
bool set_level(std::string_view name) {
    for (const auto& [level, text] :
         {std::pair{Level::debug, "debug"}, {Level::info, "info"}, {Level::warn, "warn"}, {Level::error, "error"}}) {
        if (name == text) return set_level(level), true;
    }
    return false;
}

bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void detail::write(Level level, std::string_view line) { logger().log(to_spdlog(level), "{}", line); }

std::string detail::escaped(std::string_view text, bool in_quotes) {
    if (std::ranges::all_of(text, is_in_word) && (in_quotes || !text.empty())) return std::string{text};
    std::string out;
    while (!text.empty()) {
        const auto [c, bytes] = code_point(text);
        if (c == '"' || c == '\\') out += {'\\', static_cast<char>(c)};
        else if (c == '\n') out += "\\n";
        else if (c == '\r') out += "\\r";
        else if (c == '\t') out += "\\t";
        else if (c == CodePoint::broken) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        else if (misleads(c)) out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
        else out += text.substr(0, bytes);
        text.remove_prefix(bytes);
    }
    return in_quotes ? out : '"' + out + '"';
}

}  // namespace base::log
