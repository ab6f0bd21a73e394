#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// What each *_fuzz.cpp defines for its parser: takes any bytes, and aborts when a property does not hold. Two mains call it:
/// replay.cpp in every ctest run, and libFuzzer's where clang is the compiler.
void fuzz_one(std::span<const std::byte> input);

inline std::string_view text_of(std::span<const std::byte> input) {
    return {reinterpret_cast<const char*>(input.data()), input.size()};
}
