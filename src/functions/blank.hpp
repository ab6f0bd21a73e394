#pragma once

#include <string_view>

namespace functions {

/// Whether nothing in a text (UTF-8) can be seen: it is empty, or of white space, format characters, marks without a letter and
/// characters that are drawn empty. The page has the same rule (web/app/lib/blank.js), of which the table is made.
bool is_blank(std::string_view text);

}  // namespace functions
