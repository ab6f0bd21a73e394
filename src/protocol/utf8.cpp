#include "protocol/utf8.hpp"

#include <cstdint>
#include <cstring>

#include "base/code_point.hpp"

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
    const auto [value, bytes] = base::code_point(text);
    return value == base::CodePoint::broken ? 0 : bytes;
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
