#include "auth/capability.hpp"
#include "base/assert.hpp"
#include "fuzz.hpp"

using namespace auth;

/// The input is capabilities and channel names by turns, a line each: each capability is parsed and met with the one before it.
void fuzz_one(std::span<const std::byte> input) {
    auto lines = text_of(input);
    auto before = Capability::all();
    while (!lines.empty()) {
        const auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        const auto capability = Capability::parse(line);
        if (!capability) {
            PAL_ASSERT(capability.error().code == base::ErrorCode::bad_request);
            continue;
        }
        PAL_ASSERT(Capability::parse(capability->to_json()) == *capability);
        const auto both = capability->intersect(before);
        PAL_ASSERT(both == before.intersect(*capability));
        PAL_ASSERT(Capability::parse(both.to_json()) == both);
        for (const std::string_view channel : {"a", "a:b", "a:b:c", "a:x:c", "[meta]a", "[meta]a:b", "[?rewind=1]a:b", "chat:7", "[filter=x]chat:7"}) {
            PAL_ASSERT(both.on(channel) == (capability->on(channel) & before.on(channel)));
        }
        before = *capability;
    }
}
