#include "net/http_fields.hpp"

#include <algorithm>

namespace net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Splits at a separator outside of quoted strings.
std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    bool quoted = false;
    std::size_t from = 0;
    for (std::size_t at = 0; at <= text.size(); ++at) {
        if (at == text.size() || (text[at] == separator && !quoted)) {
            parts.push_back(trimmed(text.substr(from, at - from)));
            from = at + 1;
        } else if (text[at] == '"') {
            quoted = !quoted;
        } else if (text[at] == '\\' && quoted) {
            ++at;
        }
    }
    return parts;
}

/// "q=0.5" among the parameters, in thousandths; 1000 without one. What is no weight is none.
int weight_of(std::string_view element) {
    const auto parameters = split(element, ';');
    for (std::size_t i = 1; i < parameters.size(); ++i) {
        const auto equals = parameters[i].find('=');
        if (equals == std::string_view::npos || !equals_ignoring_case(trimmed(parameters[i].substr(0, equals)), "q")) continue;
        const auto text = trimmed(parameters[i].substr(equals + 1));
        int thousandths = 0, worth = 1'000;
        for (const char c : text) {
            if (c >= '0' && c <= '9') thousandths += (c - '0') * worth;
            else if (c != '.') return 1'000;
            if (c != '.') worth /= 10;
        }
        return std::min(thousandths, 1'000);
    }
    return 1'000;
}

/// 2: itself, 1: its group, 0: anything, -1: not it.
int specificity_of(std::string_view range, std::string_view type) {
    if (range == type) return 2;
    if (range == "*/*" || range == "*") return 0;
    const bool group = range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1));
    return group ? 1 : -1;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t";
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    return text.substr(0, text.find_last_not_of(blank) + 1);
}

std::string lower_case(std::string_view text) {
    std::string result{text};
    std::ranges::transform(result, result.begin(), lower);
    return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string_view> elements_of(std::string_view list) {
    auto elements = split(list, ',');
    std::erase_if(elements, [](std::string_view each) { return each.empty(); });
    return elements;
}

bool has_token(std::string_view list, std::string_view token) {
    return std::ranges::any_of(elements_of(list), [&](std::string_view each) { return equals_ignoring_case(each, token); });
}

std::string type_of(std::string_view value) { return lower_case(trimmed(value.substr(0, value.find(';')))); }

Credentials credentials_of(std::string_view authorization) {
    const auto text = trimmed(authorization);
    const auto scheme = text.substr(0, text.find_first_of(" \t"));
    return {lower_case(scheme), trimmed(text.substr(scheme.size()))};
}

Preference preference_for(std::string_view accept, std::string_view type) {
    Preference best;
    int order = 0;
    for (const auto element : elements_of(accept)) {
        --order;
        const auto specificity = specificity_of(type_of(element), type);
        if (specificity > best.specificity) best = {weight_of(element), specificity, order};
    }
    return best.weight > 0 ? best : Preference{};
}

bool has_entity_tag(std::string_view list, std::string_view tag) {
    return std::ranges::any_of(elements_of(list), [&](std::string_view each) {
        if (each.starts_with("W/")) each.remove_prefix(2);
        return each == tag || each == "*";
    });
}

}  // namespace net
