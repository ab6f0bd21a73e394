#include "auth/capability.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"

namespace auth {
namespace {

using base::ErrorCode;

struct Named {
    std::string_view name;
    Operation operation;
};
/// By name, which is the canonical order.
constexpr std::array<Named, 18> names{{
    {"annotation-publish", Operation::annotation_publish},
    {"annotation-subscribe", Operation::annotation_subscribe},
    {"channel-metadata", Operation::channel_metadata},
    {"history", Operation::history},
    {"message-delete-any", Operation::message_delete_any},
    {"message-delete-own", Operation::message_delete_own},
    {"message-update-any", Operation::message_update_any},
    {"message-update-own", Operation::message_update_own},
    {"object-publish", Operation::object_publish},
    {"object-subscribe", Operation::object_subscribe},
    {"presence", Operation::presence},
    {"presence-subscribe", Operation::presence_subscribe},
    {"privileged-headers", Operation::privileged_headers},
    {"publish", Operation::publish},
    {"push-admin", Operation::push_admin},
    {"push-subscribe", Operation::push_subscribe},
    {"stats", Operation::stats},
    {"subscribe", Operation::subscribe},
}};
static_assert(std::ranges::is_sorted(names, {}, &Named::name));

Operations named(std::string_view name) {
    if (name == "*") return all_operations;
    const auto found = std::ranges::find(names, name, &Named::name);
    return found == names.end() ? 0 : static_cast<Operations>(found->operation);
}

/// A pattern or a channel name: what is in brackets in front, without params ("?…") and arguments ("=…"), and the segments.
struct Parts {
    std::string_view qualifier, rest;

    explicit Parts(std::string_view text) : rest(text) {
        const auto close = text.find(']');
        if (!text.starts_with('[') || close == text.npos) return;
        qualifier = text.substr(1, close - 1);
        qualifier = qualifier.substr(0, qualifier.find_first_of("?="));
        rest = text.substr(close + 1);
    }
};

/// Brackets stand in front and once: otherwise a meeting that leaves the first ones out would leave a pattern that says more.
bool is_pattern(std::string_view text) {
    const Parts parts{text};
    return !parts.rest.empty() && !parts.rest.starts_with('[');
}

/// Takes the first segment off; nothing once the last one, which no ':' follows, is taken.
std::optional<std::string_view> take_segment(std::optional<std::string_view>& rest) {
    if (!rest) return std::nullopt;
    const auto colon = rest->find(':');
    const auto segment = rest->substr(0, colon);
    rest = colon == rest->npos ? std::nullopt : std::optional{rest->substr(colon + 1)};
    return segment;
}

bool matches(std::string_view pattern_text, std::string_view channel_text) {
    const Parts pattern{pattern_text}, channel{channel_text};
    if (pattern.qualifier != "*" && pattern.qualifier != channel.qualifier) return false;
    std::optional pattern_rest{pattern.rest}, channel_rest{channel.rest};
    while (true) {
        const auto wanted = take_segment(pattern_rest), segment = take_segment(channel_rest);
        if (!wanted || !segment) return wanted == segment;  // both at their end
        if (*wanted == "*" && !pattern_rest) return true;
        if (*wanted != "*" && *wanted != *segment) return false;
    }
}

/// The pattern of the channels that both patterns match; nothing when there are none.
std::optional<std::string> meet(std::string_view a_text, std::string_view b_text) {
    const Parts a{a_text}, b{b_text};
    if (a.qualifier != b.qualifier && a.qualifier != "*" && b.qualifier != "*") return std::nullopt;
    const auto qualifier = a.qualifier == "*" ? b.qualifier : a.qualifier;
    std::string met = qualifier.empty() ? "" : '[' + std::string{qualifier} + ']';
    std::optional a_rest{a.rest}, b_rest{b.rest};
    while (true) {
        const auto a_left = a_rest, b_left = b_rest;
        const auto a_segment = take_segment(a_rest), b_segment = take_segment(b_rest);
        if (!a_segment || !b_segment) return std::nullopt;  // one is longer
        if (*a_segment == "*" && !a_rest) return met.append(*b_left);
        if (*b_segment == "*" && !b_rest) return met.append(*a_left);
        if (*a_segment != *b_segment && *a_segment != "*" && *b_segment != "*") return std::nullopt;
        met += *a_segment == "*" ? *b_segment : *a_segment;
        if (!a_rest && !b_rest) return met;
        met += ':';
    }
}

}  // namespace

Capability Capability::all() {
    Capability capability;
    capability.patterns_.emplace("*", all_operations);
    return capability;
}

Result<Capability> Capability::parse(std::string_view json) {
    constexpr auto refused = ErrorCode::bad_request;
    Capability capability;
    protocol::JsonReader in{json};
    bool known = true;
    const bool read = in.object([&](std::string_view key) {
        const std::string pattern{key};
        Operations operations = 0;
        std::size_t count = 0;
        const bool array = in.array([&] {
            std::string name;
            if (!in.text(name)) return false;
            const auto operation = named(name);
            known = known && operation != 0 && !(operations != 0 && (name == "*" || operations == all_operations));
            operations |= operation;
            ++count;
            return true;
        });
        known = known && count > 0 && is_pattern(pattern);
        capability.patterns_[pattern] |= operations;
        return array;
    });
    if (!read || !in.at_end()) return base::fail(refused, "a capability is an object of arrays of operations, by channel");
    if (!known) return base::fail(refused, "a capability names a channel and at least one operation, or \"*\" alone, for each");
    return capability;
}

Operations Capability::on(std::string_view channel) const {
    Operations operations = 0;
    for (const auto& [pattern, granted] : patterns_) {
        if ((operations | granted) != operations && matches(pattern, channel)) operations |= granted;
    }
    return operations;
}

bool Capability::grants(Operation operation) const {
    return std::ranges::any_of(patterns_, [&](const auto& each) { return has(each.second, operation); });
}

Capability Capability::intersect(const Capability& other) const {
    Capability both;
    for (const auto& [pattern, operations] : patterns_) {
        for (const auto& [other_pattern, other_operations] : other.patterns_) {
            const auto common = operations & other_operations;
            if (common == 0) continue;
            if (auto met = meet(pattern, other_pattern)) both.patterns_[std::move(*met)] |= common;
        }
    }
    return both;
}

std::string Capability::to_json() const {
    std::string json;
    protocol::JsonWriter out{json};
    out.object([&] {
        for (const auto& [pattern, operations] : patterns_) {
            out.key(pattern);
            out.array([&] {
                for (const auto& [name, operation] : names) {
                    if (operations == all_operations || !has(operations, operation)) continue;
                    out.element();
                    out.text(name);
                }
                if (operations == all_operations) out.text("*");
            });
        }
    });
    return json;
}

bool is_matched(std::string_view channel, std::string_view pattern) { return matches(pattern, channel); }

std::int64_t modes_allowed(Operations operations) {
    namespace flag = protocol::flag;
    std::int64_t modes = 0;
    if (has(operations, Operation::publish)) modes |= flag::publish;
    if (has(operations, Operation::subscribe)) modes |= flag::subscribe | flag::presence_subscribe;
    if (has(operations, Operation::presence_subscribe)) modes |= flag::presence_subscribe;
    if (has(operations, Operation::presence)) modes |= flag::presence;
    if (has(operations, Operation::annotation_publish)) modes |= flag::annotation_publish;
    if (has(operations, Operation::annotation_subscribe)) modes |= flag::annotation_subscribe;
    if (has(operations, Operation::object_publish)) modes |= flag::object_publish;
    if (has(operations, Operation::object_subscribe)) modes |= flag::object_subscribe;
    return modes;
}

}  // namespace auth
