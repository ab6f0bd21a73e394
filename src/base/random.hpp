#pragma once

#include <cstddef>
#include <string>

namespace base {

/// `size` bytes from the kernel's generator: fit for keys and nonces.
std::string random_bytes(std::size_t size);

/// `length` characters of [0-9A-Za-z], for ids and secrets (5.95 bits a character).
std::string random_id(std::size_t length);

}  // namespace base
