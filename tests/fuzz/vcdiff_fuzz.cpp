#include "base/assert.hpp"
#include "fuzz.hpp"
#include "protocol/vcdiff.hpp"
#include "protocol/vcdiff_decoder.test.hpp"

/// The input is a base and a target: two bytes say how long the base is.
void fuzz_one(std::span<const std::byte> input) {
    auto text = text_of(input);
    if (text.size() < 2) return;
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(text[0])) << 8 | static_cast<unsigned char>(text[1]);
    text.remove_prefix(2);
    const auto base = text.substr(0, size), target = text.substr(base.size());
    const auto delta = protocol::vcdiff_encode(base, target);
    PAL_ASSERT(protocol::test::vcdiff_decode(base, delta) == target);
    PAL_ASSERT(delta.size() <= target.size() + 32);
}
