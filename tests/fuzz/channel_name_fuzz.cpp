#include "base/assert.hpp"
#include "fuzz.hpp"
#include "protocol/channel_name.hpp"
#include "protocol/utf8.hpp"

using namespace protocol;

void fuzz_one(std::span<const std::byte> input) {
    const auto text = text_of(input);
    if (const auto name = parse_channel_name(text)) {
        PAL_ASSERT(name->full == text && name->full.ends_with(name->base) && !name->base.empty());
        PAL_ASSERT((name->base == name->full) == !name->full.starts_with('['));
        for (const auto& [key, value] : name->params) PAL_ASSERT(!key.empty() && is_utf8(key) && is_utf8(value));
        const auto base = parse_channel_name(name->base);  // the base is a name of its own
        PAL_ASSERT(base && base->base == name->base && base->params.empty() && base->qualifier.empty());
    } else {
        PAL_ASSERT(name.error().code == ErrorCode::invalid_channel_name);
    }
    if (const auto rewind = parse_rewind(text)) {
        if (const auto* time = std::get_if<std::chrono::milliseconds>(&*rewind)) PAL_ASSERT(time->count() >= 0);
    }
}
