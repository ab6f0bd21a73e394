#include "fuzz.hpp"
#include "protocol_properties.hpp"

void fuzz_one(std::span<const std::byte> input) { fuzz::check_frame(protocol::Format::msgpack, text_of(input)); }
