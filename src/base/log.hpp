#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <fmt/format.h>

/// The log is a line per change of state, as fields: `at=attach conn=Xk3 channel=room:7 resumed=true`. It goes to standard
/// error. No line holds a payload, a key or a token. Any thread.
///   line  := field { ' ' field }
///   field := name '=' ( word | '"' { character | escape } '"' )
/// A value stays within its field, whatever a client, a row or a file put into it: callers write `name={}` or `name="{}"` and
/// need not escape anything.
namespace base::log {

enum class Level { debug, info, warn, error };

void set_level(Level level);
/// By its name; false when there is none such.
bool set_level(std::string_view name);
bool enabled(Level level);

namespace detail {

void write(Level level, std::string_view line);

/// As it stands in a line. In quotes: with quotes, backslashes, control characters and what turns or hides text escaped. Otherwise
/// a word stays as it is, and all else is put in quotes.
std::string escaped(std::string_view text, bool in_quotes);

/// A number cannot leave its field; all else is escaped as the text that it is written as.
template <class T>
using Written = std::conditional_t<std::is_arithmetic_v<T> && !std::is_same_v<T, char>, T, std::string>;

template <class T>
Written<T> written(const T& value, bool in_quotes) {
    if constexpr (std::is_same_v<Written<T>, T> && std::is_arithmetic_v<T>) return value;
    else if constexpr (std::is_convertible_v<const T&, std::string_view>) return escaped(value, in_quotes);
    else return escaped(fmt::format("{}", value), in_quotes);
}

/// Which of a format's places are in quotes, a bit each. Not a constant, so that it does not compile, for a format that is no line.
consteval std::uint64_t places_in_quotes(std::string_view format) {
    std::uint64_t places = 0;
    unsigned place = 0;
    bool in_quotes = false;
    for (std::size_t at = 0; at < format.size(); ++at) {
        const char c = format[at];
        if (static_cast<unsigned char>(c) < ' ') throw "a line has no control characters";
        if (c == '"') in_quotes = !in_quotes;
        if (c != '{' && c != '}') continue;
        if (at + 1 < format.size() && format[at + 1] == c) {
            ++at;
            continue;
        }
        if (c == '}') continue;
        if (at + 1 == format.size() || (format[at + 1] != '}' && format[at + 1] != ':')) throw "the places are not numbered";
        if (place == 64) throw "64 places at most";
        if (in_quotes) places |= std::uint64_t{1} << place;
        ++place;
    }
    if (in_quotes) throw "a quote is not closed";
    return places;
}

}  // namespace detail

/// A line's format, checked when it is compiled.
template <class... Args>
struct Line {
    template <class Text>
        requires std::is_convertible_v<const Text&, std::string_view>
    consteval Line(const Text& text) : format(text), in_quotes(detail::places_in_quotes(text)) {}

    fmt::format_string<detail::Written<Args>...> format;
    std::uint64_t in_quotes;
};

template <class... Args>
std::string text_of(Line<std::type_identity_t<Args>...> line, const Args&... args) {
    [[maybe_unused]] auto places = line.in_quotes;
    [[maybe_unused]] const auto next_is_in_quotes = [&places] {
        const bool in_quotes = (places & 1) != 0;
        places >>= 1;
        return in_quotes;
    };
    // Braces, so that they are evaluated in order.
    const std::tuple<detail::Written<Args>...> values{detail::written(args, next_is_in_quotes())...};
    return std::apply([&](const auto&... each) { return fmt::vformat(line.format, fmt::make_format_args(each...)); }, values);
}

template <class... Args>
void debug(Line<std::type_identity_t<Args>...> line, const Args&... args) {
    if (enabled(Level::debug)) detail::write(Level::debug, text_of(line, args...));
}
template <class... Args>
void info(Line<std::type_identity_t<Args>...> line, const Args&... args) {
    if (enabled(Level::info)) detail::write(Level::info, text_of(line, args...));
}
/// Something an operator should act on.
template <class... Args>
void warn(Line<std::type_identity_t<Args>...> line, const Args&... args) {
    if (enabled(Level::warn)) detail::write(Level::warn, text_of(line, args...));
}
/// Data was lost or reordered, or we cannot go on.
template <class... Args>
void error(Line<std::type_identity_t<Args>...> line, const Args&... args) {
    detail::write(Level::error, text_of(line, args...));
}

}  // namespace base::log
