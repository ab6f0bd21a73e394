#include "fuzz.hpp"
#include "protocol_properties.hpp"

void fuzz_one(std::span<const std::byte> input) {
    const auto bytes = text_of(input);
    fuzz::check_frame(protocol::Format::msgpack, bytes);
    fuzz::check_body(protocol::Format::msgpack, bytes);
    if (const auto json = protocol::msgpack_to_json(bytes)) {
        PAL_ASSERT(protocol::msgpack_to_json(protocol::json_to_msgpack(*json)) == *json);
    }
}
