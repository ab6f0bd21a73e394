#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace connector {

/// A channel's name, of which columns of the row are parts: `room:{room}`. A brace that is doubled stands for itself. A row's values
/// must not reach beyond their part: they cannot contain what separates the parts, unless that is wanted, `room:{room|any}`.
class ChannelTemplate {
public:
    /// Error: invalid_channel_name, when braces do not match, a column has no name, nothing separates two columns, or a name without
    /// columns is none.
    static base::Result<ChannelTemplate> parse(std::string_view text);

    bool is_fixed() const { return columns_.empty(); }
    const std::vector<std::string>& columns() const { return columns_; }
    /// What every name starts with; all of it when there are no columns.
    const std::string& prefix() const { return parts_.front(); }

    /// `values` are those of columns(). Error: invalid_channel_name, when one is missing (null, or not sent) or empty, or contains a
    /// separator, or the whole is no plain channel name: too long, with control characters or brackets in front.
    base::Result<std::string> fill(const std::vector<std::optional<std::string_view>>& values) const;

private:
    base::Result<void> find_separators();

    std::vector<std::string> parts_;    // one more than columns, around them
    std::vector<std::string> columns_;
    std::vector<std::string> separators_;  // of each column: the characters that its values cannot contain
    std::vector<bool> any_;                // of each column: its values may contain all of them
};

}  // namespace connector
