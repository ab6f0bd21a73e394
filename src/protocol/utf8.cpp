#include "protocol/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace protocol {
namespace {

/// How many bytes at the front of `text` are ASCII. Eight at a time.
std::size_t ascii_prefix(std::string_view text) {
    std::size_t at = 0;
    for (std::uint64_t eight = 0; text.size() - at >= sizeof eight; at += sizeof eight) {
        std::memcpy(&eight, text.data() + at, sizeof eight);
        if ((eight & 0x8080'8080'8080'8080) != 0) break;
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    return at;
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
    // Overlong forms, surrogates and what lies above U+10FFFF all show in the second byte.
    const unsigned lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t at = 2; at < size; ++at) {
        if (byte(at) < 0x80 || byte(at) > 0xbf) return 0;
    }
    return size;
}

std::string well_formed(std::string_view text) {
    // Of a sequence that is cut short; any continuation byte may follow its second one.
    const auto begins_sequence = [](std::string_view cut) {
        std::string whole{cut};
        whole.resize(4, '\x80');
        return utf8_sequence(whole) > cut.size();
    };
    std::string out;
    while (!text.empty()) {
        auto size = utf8_sequence(text);
        if (size > 0) {
            out += text.substr(0, size);
        } else {
            for (size = 1; size < text.size() && begins_sequence(text.substr(0, size + 1));) ++size;
            out += replacement_character;
        }
        text.remove_prefix(size);
    }
    return out;
}

bool is_utf8(std::string_view text) {
    for (;;) {
        text.remove_prefix(ascii_prefix(text));
        if (text.empty()) return true;
        const auto size = utf8_sequence(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
}

}  // namespace protocol
