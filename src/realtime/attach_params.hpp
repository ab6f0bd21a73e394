#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "broker/broker.hpp"

namespace realtime {

/// What a client wants of an attachment by the params of its ATTACH and of the channel's name (RTL4k, TB2c).
struct AttachParams {
    std::map<std::string, std::string> kept;  // those that mean something here, as ATTACHED tells them (RTL4k1)
    std::optional<std::int64_t> modes;        // of `modes`: they win over the ATTACH's flags
    broker::From from;                        // of `rewind` and `rewindLimit`

    /// `modes` is told as it was granted (RTL4m); who did not ask by this param reads it from the flags.
    void grant(std::int64_t granted);
};

/// What we do not know is as good as not said. Error: invalid_parameter_value, for a rewind that is none.
base::Result<AttachParams> attach_params(const std::map<std::string, std::string>& asked, base::Time now);

/// "publish,subscribe" and the flags it stands for; nothing when it names no mode.
std::optional<std::int64_t> parse_modes(std::string_view text);
std::string modes_text(std::int64_t modes);

}  // namespace realtime
