#include "fuzz.hpp"
#include "protocol_properties.hpp"

/// What comes as a REST body in JSON.
void fuzz_one(std::span<const std::byte> input) { fuzz::check_body(protocol::Format::json, text_of(input)); }
