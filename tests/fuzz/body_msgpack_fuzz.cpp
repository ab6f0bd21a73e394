#include "fuzz.hpp"
#include "protocol_properties.hpp"

/// What comes as a REST body in MessagePack; what we read as JSON only is made that first.
void fuzz_one(std::span<const std::byte> input) {
    const auto bytes = text_of(input);
    fuzz::check_body(protocol::Format::msgpack, bytes);
    if (const auto json = protocol::msgpack_to_json(bytes)) {
        PAL_ASSERT(protocol::msgpack_to_json(protocol::json_to_msgpack(*json)) == *json);
    }
}
