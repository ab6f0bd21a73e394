#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// What JSON and MessagePack have in common. A reader hands out the values of its input in order, a writer appends values to
/// a string; both formats' readers, and both writers, have the same members, so that decoder.hpp, encoder.hpp and copy_value()
/// are written once.
namespace protocol {

/// `none`: there is no value, or not one of the format. `other`: a value of MessagePack's own (an extension).
enum class Kind : std::uint8_t { none, null, boolean, number, text, binary, array, object, other };

/// The unsigned one only for what the signed one cannot hold.
using Number = std::variant<std::int64_t, std::uint64_t, double>;

/// Containers within a value of somebody else's making (extras, a bare data object, an unknown field).
inline constexpr int nesting_max = 32;

/// So many bytes more at most: `write` is called with where they begin, and says where they end.
template <class Write>
void append_up_to(std::string& out, std::size_t most, Write&& write) {
    const auto before = out.size();
    out.resize_and_overwrite(before + most,
                             [&](char* text, std::size_t) { return static_cast<std::size_t>(write(text + before) - text); });
}

/// A number as an integer; JavaScript's integers may arrive as floats.
inline std::optional<std::int64_t> whole(const Number& number) {
    constexpr double exact_max = 9'007'199'254'740'992;  // 2^53: below it a double holds every integer
    if (const auto* integer = std::get_if<std::int64_t>(&number)) return *integer;
    const auto* real = std::get_if<double>(&number);
    if (!real || std::trunc(*real) != *real || std::abs(*real) > exact_max) return std::nullopt;
    return static_cast<std::int64_t>(*real);
}

/// Writes the next value of `in` to `out`. False for what is malformed, nested too deep, or has no form in JSON (bytes,
/// extensions, not-a-number); `out` holds part of a value then.
template <class Reader, class Writer>
bool copy_value(Reader& in, Writer& out, int depth = 0) {
    switch (in.kind()) {
        case Kind::null: out.null(); return in.skip();
        case Kind::boolean: {
            bool value = false;
            if (!in.boolean(value)) return false;
            out.boolean(value);
            return true;
        }
        case Kind::number: {
            Number value;
            if (!in.number(value)) return false;
            if (const auto* real = std::get_if<double>(&value); real && !std::isfinite(*real)) return false;
            out.number(value);
            return true;
        }
        case Kind::text: {
            std::string value;
            if (!in.text(value)) return false;
            out.text(value);
            return true;
        }
        case Kind::array: {
            bool ok = depth < nesting_max;
            out.array([&] {
                ok = ok && in.array([&] {
                    out.element();
                    return copy_value(in, out, depth + 1);
                });
            });
            return ok;
        }
        case Kind::object: {
            bool ok = depth < nesting_max;
            out.object([&] {
                ok = ok && in.object([&](std::string_view key) {
                    out.key(key);
                    return copy_value(in, out, depth + 1);
                });
            });
            return ok;
        }
        case Kind::none:
        case Kind::binary:
        case Kind::other: return false;
    }
    return false;
}

}  // namespace protocol
