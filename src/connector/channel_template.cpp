#include "connector/channel_template.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "protocol/channel_name.hpp"

namespace connector {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view any_value = "|any";

bool is_alphanumeric(char each) {
    return (each >= '0' && each <= '9') || (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each & 0x80) != 0;
}

void add(std::string& characters, std::string_view text, std::string_view except) {
    for (const char each : text) {
        if (!is_alphanumeric(each) && !except.contains(each) && !characters.contains(each)) characters += each;
    }
}

Result<std::string> plain_name(std::string name) {
    const auto parsed = protocol::parse_channel_name(name);
    if (!parsed) return std::unexpected(parsed.error());
    if (parsed->base != name) return fail(ErrorCode::invalid_channel_name, "a fed channel has no qualifier");
    return name;
}

}  // namespace

Result<ChannelTemplate> ChannelTemplate::parse(std::string_view text) {
    ChannelTemplate made;
    made.parts_.emplace_back();
    while (!text.empty()) {
        const char first = text.front();
        if ((first == '{' || first == '}') && text.substr(1).starts_with(first)) {
            made.parts_.back() += first;
            text.remove_prefix(2);
        } else if (first == '{') {
            const auto end = text.find('}');
            if (end == text.npos || end == 1) return fail(ErrorCode::invalid_channel_name, "'{{' is followed by a column's name and '}}'");
            auto column = text.substr(1, end - 1);
            made.any_.push_back(column.size() > any_value.size() && column.ends_with(any_value));
            if (made.any_.back()) column.remove_suffix(any_value.size());
            made.columns_.emplace_back(column);
            made.parts_.emplace_back();
            text.remove_prefix(end + 1);
        } else if (first == '}') {
            return fail(ErrorCode::invalid_channel_name, "'}}' without '{{': to have it in the name, double it");
        } else {
            made.parts_.back() += first;
            text.remove_prefix(1);
        }
    }
    if (!made.is_fixed()) {
        if (auto found = made.find_separators(); !found) return std::unexpected(found.error());
        return made;
    }
    if (auto name = plain_name(made.parts_.front()); !name) return std::unexpected(name.error());
    return made;
}

/// Between two columns, whatever is no letter or digit separates; at the ends, '-', '_' and '.' do not: they are common in ids. ':'
/// always does, for capabilities and namespaces go by it, unless the name is a column's value and nothing else.
Result<void> ChannelTemplate::find_separators() {
    const bool alone = columns_.size() == 1 && parts_.front().empty() && parts_.back().empty();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::string characters = alone ? "" : ":";
        const bool is_first = i == 0, is_last = i + 1 == columns_.size();
        add(characters, parts_[i], is_first ? "-_." : "");
        add(characters, parts_[i + 1], is_last ? "-_." : "");
        separators_.push_back(std::move(characters));
        if (is_last || any_[i] || any_[i + 1]) continue;
        if (std::ranges::all_of(parts_[i + 1], is_alphanumeric)) {
            return fail(ErrorCode::invalid_channel_name, "nothing separates {{{}}} from {{{}}}: put ':' between them", columns_[i],
                        columns_[i + 1]);
        }
    }
    return {};
}

Result<std::string> ChannelTemplate::fill(const std::vector<std::optional<std::string_view>>& values) const {
    PAL_ASSERT(values.size() == columns_.size());
    if (is_fixed()) return parts_.front();
    std::string name = parts_.front();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!values[i] || values[i]->empty()) {
            return fail(ErrorCode::invalid_channel_name, "column {}, which names the channel, is {}", columns_[i],
                        values[i] ? "empty" : "null");
        }
        if (const auto at = any_[i] ? values[i]->npos : values[i]->find_first_of(separators_[i]); at != values[i]->npos) {
            return fail(ErrorCode::invalid_channel_name,
                        "column {} has a '{}', which separates the parts of the channel's name: {{{}|any}} would allow it", columns_[i],
                        (*values[i])[at], columns_[i]);
        }
        name += *values[i];
        name += parts_[i + 1];
    }
    return plain_name(std::move(name));
}

}  // namespace connector
