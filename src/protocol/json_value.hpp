#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace protocol {

/// A JSON value as a tree: for what looks into one. What only passes it on keeps its text (JsonText).
struct JsonValue {
    using Array = std::vector<JsonValue>;
    using Object = std::map<std::string, JsonValue, std::less<>>;
    std::variant<std::monostate, bool, double, std::string, Array, Object> value;  // monostate: null

    /// The member of an object; nothing when there is none, or this is no object.
    const JsonValue* member(std::string_view name) const;

    friend bool operator==(const JsonValue&, const JsonValue&) = default;
};

/// Nothing when the text is not one JSON value, or is nested deeper than nesting_max. Of members with one name the last counts.
std::optional<JsonValue> read_json(std::string_view text);

std::string to_json(const JsonValue& value);

}  // namespace protocol
