#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"

/// What the JSON of tokens and of token requests have in common.
namespace auth {

/// Reads an object that is the whole input; `read(in, key)` reads the value of a key, or skips it.
template <class Read>
bool read_object(std::string_view json, Read&& read) {
    protocol::JsonReader in{json};
    return in.object([&](std::string_view key) { return read(in, key); }) && in.at_end();
}

/// A capability is given as JSON text, and by some libraries as JSON; the text is what counts.
inline bool read_capability(protocol::JsonReader& in, std::string& out) {
    return in.kind() == protocol::Kind::object ? in.json(out) : in.text(out);
}

/// What is empty is left out.
inline void member(protocol::JsonWriter& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out.key(name);
    out.text(text);
}
inline void member(protocol::JsonWriter& out, std::string_view name, std::optional<std::int64_t> number) {
    if (!number) return;
    out.key(name);
    out.number(*number);
}

}  // namespace auth
