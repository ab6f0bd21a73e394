#include "base/assert.hpp"
#include "broker/broker.hpp"
#include "fuzz.hpp"

using namespace broker;

/// channelSerials and cursors that clients give back: what is one is written the same again, and sorts as its position does.
void fuzz_one(std::span<const std::byte> input) {
    const auto text = text_of(input);
    if (const auto cursor = parse_cursor(text)) PAL_ASSERT(parse_cursor(to_serial(*cursor)) == cursor);

    const auto middle = std::min(text.find('\n'), text.size());
    const auto one = text.substr(0, middle), other = text.substr(std::min(middle + 1, text.size()));
    const auto a = parse_serial(one), b = parse_serial(other);
    if (a) PAL_ASSERT(to_serial(*a) == one);
    if (a && b) PAL_ASSERT((*a < *b) == (one < other));
}
