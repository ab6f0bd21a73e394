#include "base/random.hpp"

#include <sys/random.h>

#include <string_view>


namespace base {

std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t filled = 0; filled < size;) {
        const auto got = ::getrandom(bytes.data() + filled, size - filled, 0);
        if (got < 0) continue;  // EINTR, before any byte was written
        filled += static_cast<std::size_t>(got);
    }
    return bytes;
}

std::string random_id(std::size_t length) {
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string id;
    id.reserve(length);
    while (id.size() < length) {
        for (const char byte : random_bytes(length)) {
            const auto value = static_cast<unsigned char>(byte) & 63u;  // reject 62 and 63, so every character is as likely
            if (value < alphabet.size() && id.size() < length) id += alphabet[value];
        }
    }
    return id;
}

}  // namespace base
