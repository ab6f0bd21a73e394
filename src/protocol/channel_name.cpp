#include "protocol/channel_name.hpp"

#include <algorithm>
#include <charconv>

#include "base/limits.hpp"
#include "protocol/utf8.hpp"

namespace protocol {
namespace {

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    while (!text.empty()) {
        if (text.front() != '%') {
            decoded += text.front();
            text.remove_prefix(1);
            continue;
        }
        const auto digits = text.substr(1, 2);
        unsigned byte = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (digits.size() < 2 || error != std::errc{} || end != digits.data() + 2) return std::nullopt;
        decoded += static_cast<char>(byte);
        text.remove_prefix(3);
    }
    return is_utf8(decoded) ? std::optional{decoded} : std::nullopt;
}

/// What is before `separator`, which is taken off `text` with it; all of it when there is none.
std::string_view take_until(std::string_view& text, char separator) {
    const auto part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

bool parse_params(std::string_view text, std::map<std::string, std::string>& params) {
    do {
        auto pair = take_until(text, '&');
        const bool has_value = pair.find('=') != pair.npos;
        const auto key = percent_decoded(take_until(pair, '='));
        const auto value = percent_decoded(pair);
        if (!has_value || !key || key->empty() || !value) return false;
        params[*key] = *value;
    } while (!text.empty());
    return true;
}

}  // namespace

Result<ChannelName> parse_channel_name(std::string_view name) {
    constexpr auto refused = ErrorCode::invalid_channel_name;
    if (name.empty()) return fail(refused, "a channel name must not be empty");
    if (name.size() > base::limits::channel_name_bytes_max) {
        return fail(refused, "a channel name must not be longer than {} bytes", base::limits::channel_name_bytes_max);
    }
    if (!is_utf8(name)) return fail(refused, "a channel name must be UTF-8");
    if (has_control_character(name)) return fail(refused, "a channel name must not contain control characters");

    ChannelName parsed{.full = std::string{name}};
    if (name.starts_with('[')) {
        const auto close = name.find(']');
        if (close == name.npos) return fail(refused, "a channel name that starts with '[' needs a ']'");
        auto inside = name.substr(1, close - 1);
        const bool has_params = inside.find('?') != inside.npos;
        parsed.qualifier = take_until(inside, '?');
        if (parsed.qualifier.empty() && !has_params) return fail(refused, "there is nothing between the brackets of the channel name");
        if (has_params && !parse_params(inside, parsed.params)) return fail(refused, "the params in the channel name are malformed");
        name.remove_prefix(close + 1);
    }
    if (name.empty()) return fail(refused, "there is no channel name after the brackets");
    if (name.starts_with(':') || name.starts_with('[')) return fail(refused, "a channel name must not start with '{}'", name.front());
    parsed.base = name;
    return parsed;
}

Result<Rewind> parse_rewind(std::string_view text) {
    using namespace std::chrono;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto unit = error == std::errc{} ? std::string_view{end, text.data() + text.size()} : "?";
    if (unit.empty()) return Rewind{std::min<std::size_t>(number, base::limits::rewind_messages_max)};
    const auto longest = duration_cast<milliseconds>(base::limits::retention);
    if (unit == "s") return Rewind{std::min<milliseconds>(seconds{number}, longest)};
    if (unit == "m") return Rewind{std::min<milliseconds>(minutes{number}, longest)};
    return fail(ErrorCode::invalid_parameter_value, "rewind is a number of messages, or a time like 30s or 2m");
}

}  // namespace protocol
