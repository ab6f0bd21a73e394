#include "realtime/attach_params.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/channel_name.hpp"
#include "realtime/occupancy.hpp"

namespace realtime {

using base::ErrorCode;
using base::fail;
using base::Result;
namespace flag = protocol::flag;

namespace {

struct Named {
    std::string_view name;
    std::int64_t flag;
};
/// TB2d, in the order of their flags.
constexpr std::array<Named, 8> modes_by_flag{{
    {"presence", flag::presence},
    {"publish", flag::publish},
    {"subscribe", flag::subscribe},
    {"presence_subscribe", flag::presence_subscribe},
    {"annotation_publish", flag::annotation_publish},
    {"annotation_subscribe", flag::annotation_subscribe},
    {"object_subscribe", flag::object_subscribe},
    {"object_publish", flag::object_publish},
}};

Result<std::size_t> parse_limit(std::string_view text) {
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error == std::errc{} && end == text.data() + text.size() && limit > 0) return std::min(limit, base::limits::rewind_messages_max);
    return fail(ErrorCode::invalid_parameter_value, "rewindLimit is a number of messages");
}

/// `rewind`, and of one by time how many messages it gives at most.
Result<broker::From> parse_from(const std::string& rewind_text, const std::string* limit_text, base::Time now) {
    const auto rewind = protocol::parse_rewind(rewind_text);
    if (!rewind) return std::unexpected(rewind.error());
    broker::From from;
    if (const auto* count = std::get_if<std::size_t>(&*rewind)) from.last_messages = *count;
    else from.since = now - std::get<std::chrono::milliseconds>(*rewind);
    if (!limit_text) return from;
    const auto limit = parse_limit(*limit_text);
    if (!limit) return std::unexpected(limit.error());
    from.last_messages = std::min(*limit, from.last_messages.value_or(*limit));
    return from;
}

}  // namespace

std::optional<std::int64_t> parse_modes(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    std::int64_t modes = 0;
    for (std::string_view rest = lower; !rest.empty();) {
        const auto name = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        if (const auto found = std::ranges::find(modes_by_flag, name, &Named::name); found != modes_by_flag.end()) modes |= found->flag;
    }
    return modes == 0 ? std::nullopt : std::optional{modes};
}

std::string modes_text(std::int64_t modes) {
    std::string text;
    for (const auto& [name, flag] : modes_by_flag) {
        if ((modes & flag) != 0) text.append(text.empty() ? "" : ",").append(name);
    }
    return text;
}

void AttachParams::grant(std::int64_t granted) {
    if (modes) kept["modes"] = modes_text(granted);
}

Result<AttachParams> attach_params(const std::map<std::string, std::string>& asked, base::Time now) {
    AttachParams params;
    const auto value_of = [&](const char* name) {
        const auto found = asked.find(name);
        return found == asked.end() ? nullptr : &found->second;
    };
    const auto keep = [&](const char* name, const std::string& value) { params.kept.emplace(name, value); };
    if (const auto* occupancy = value_of("occupancy"); occupancy && is_occupancy_category(*occupancy)) keep("occupancy", *occupancy);
    if (const auto* delta = value_of("delta"); delta && *delta == "vcdiff") keep("delta", *delta);
    if (const auto* mode = value_of("appendMode"); mode && *mode == "full") keep("appendMode", *mode);
    if (const auto* modes = value_of("modes")) params.modes = parse_modes(*modes);
    const auto* rewind = value_of("rewind");
    if (!rewind) return params;
    const auto* limit = value_of("rewindLimit");
    auto from = parse_from(*rewind, limit, now);
    if (!from) return std::unexpected(from.error());
    params.from = *std::move(from);
    keep("rewind", *rewind);
    if (limit) keep("rewindLimit", *limit);
    return params;
}

}  // namespace realtime
