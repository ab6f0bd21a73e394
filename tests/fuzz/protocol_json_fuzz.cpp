#include "fuzz.hpp"
#include "protocol_properties.hpp"

void fuzz_one(std::span<const std::byte> input) {
    const auto json = text_of(input);
    fuzz::check_frame(protocol::Format::json, json);
    const auto frame = protocol::decode(protocol::Format::json, json);
    const auto listed = protocol::decode_frames('[' + std::string{json} + ']');  // perhaps of several
    PAL_ASSERT(!frame || listed == std::vector<protocol::Received>{*frame});

    // What is JSON stays the same value in MessagePack; what is not becomes null.
    const auto once = protocol::msgpack_to_json(protocol::json_to_msgpack(json));
    PAL_ASSERT(once);
    const auto twice = protocol::msgpack_to_json(protocol::json_to_msgpack(*once));
    PAL_ASSERT(twice == *once);
}
