#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a header's value says, as RFC 9110 §5.6 has it: lists, tokens in any case, blanks that mean nothing, parameters and weights.
/// Whoever reads a header reads it with these, and never compares its text. Pure.
namespace net {

std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// The elements of a comma-separated list, trimmed; empty ones are none (RFC 9110 §5.6.1). A comma in a quoted string separates nothing.
std::vector<std::string_view> elements_of(std::string_view list);
bool has_token(std::string_view list, std::string_view token);

/// What stands in front of the parameters: "application/json; charset=utf-8" is of "application/json". In lower case.
std::string type_of(std::string_view value);

/// "Bearer  abc": its first word and the rest.
struct Credentials {
    std::string scheme;     // in lower case
    std::string_view rest;  // trimmed
};
Credentials credentials_of(std::string_view authorization);

/// How welcome a media type or coding is by Accept or Accept-Encoding (RFC 9110 §12.4): the greater the better.
struct Preference {
    int weight = 0;        // thousandths; 0: not acceptable
    int specificity = -1;  // of what names it: itself, its group ("application/*"), anything ("*/*", "*"); -1: nothing does
    int order = 0;         // the first of a list is the greatest
    friend auto operator<=>(const Preference&, const Preference&) = default;
};
Preference preference_for(std::string_view accept, std::string_view type);

/// Does a list of entity tags, as in If-None-Match, hold this one? Weakly compared (RFC 9110 §8.8.3.2).
bool has_entity_tag(std::string_view list, std::string_view tag);

}  // namespace net
