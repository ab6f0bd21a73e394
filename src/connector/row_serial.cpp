#include "connector/row_serial.hpp"

#include <charconv>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/assert.hpp"

namespace connector {
namespace {

constexpr std::size_t key_bytes_max = 256;

bool is_plain(char each) {
    return (each >= '0' && each <= '9') || (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || each == '_' || each == '-';
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char each : text) {
        if (is_plain(each)) out += each;
        else fmt::format_to(std::back_inserter(out), "={:02x}", static_cast<unsigned char>(each));
    }
}

std::string hashed(std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    PAL_ASSERT(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) == 1);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) fmt::format_to(std::back_inserter(hex), "{:02x}", digest[i]);
    return hex;
}

void append_part(std::string& out, const KeyPart& part) {
    std::int64_t number = 0;
    const auto* end = part.text.data() + part.text.size();
    if (part.is_integer && std::from_chars(part.text.data(), end, number).ptr == end) {
        constexpr std::uint64_t sign = std::uint64_t{1} << 63;  // turned, so that -1 sorts before 0
        fmt::format_to(std::back_inserter(out), ".i{:016x}", static_cast<std::uint64_t>(number) ^ sign);
    } else {
        out += ".t";
        append_escaped(out, part.text);
    }
}

}  // namespace

std::string row_serial(std::string_view schema, std::string_view table, std::span<const KeyPart> key) {
    std::string serial = "r", parts;
    append_escaped(serial, schema);
    serial += '.';
    append_escaped(serial, table);
    for (const auto& part : key) append_part(parts, part);
    return serial + (parts.size() <= key_bytes_max ? parts : ".h" + hashed(parts));
}

}  // namespace connector
