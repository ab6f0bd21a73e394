#include "connector/channel_template.hpp"

#include "base/assert.hpp"
#include "protocol/channel_name.hpp"

namespace connector {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

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
            made.columns_.emplace_back(text.substr(1, end - 1));
            made.parts_.emplace_back();
            text.remove_prefix(end + 1);
        } else if (first == '}') {
            return fail(ErrorCode::invalid_channel_name, "'}}' without '{{': to have it in the name, double it");
        } else {
            made.parts_.back() += first;
            text.remove_prefix(1);
        }
    }
    if (!made.is_fixed()) return made;
    if (auto name = plain_name(made.parts_.front()); !name) return std::unexpected(name.error());
    return made;
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
        name += *values[i];
        name += parts_[i + 1];
    }
    return plain_name(std::move(name));
}

}  // namespace connector
