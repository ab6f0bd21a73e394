#include "functions/blank.hpp"

#include <algorithm>
#include <array>

#include "base/code_point.hpp"

namespace functions {
namespace {

struct Range {
    char32_t first, last;
};
constexpr auto blank_characters = std::to_array<Range>({
#include "functions/blank_characters.inc"
});

bool is_blank(char32_t c) {
    const auto after = std::ranges::upper_bound(blank_characters, c, {}, &Range::first);
    return after != blank_characters.begin() && c <= std::prev(after)->last;
}

}  // namespace

bool is_blank(std::string_view text) {
    while (!text.empty()) {
        const auto [c, bytes] = base::code_point(text);
        if (!is_blank(c)) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

}  // namespace functions
