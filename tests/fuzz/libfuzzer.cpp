// libFuzzer's way in; its main is in the compiler's runtime.

#include <cstdint>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz_one(std::as_bytes(std::span{data, size}));
    return 0;
}
