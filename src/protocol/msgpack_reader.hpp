#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/value.hpp"

namespace protocol {

/// Reads MessagePack value by value; the same members as JsonReader. Lengths are checked against what is left of the input,
/// keys must be text. In text that is not UTF-8, U+FFFD stands for what is malformed. The input outlives the reader.
class MsgpackReader {
public:
    explicit MsgpackReader(std::string_view bytes) : bytes_(bytes) {}

    /// Of the next value, which stays.
    Kind kind() const {
        if (at_end()) return Kind::none;
        return lead() == undefined_lead ? undefined_kind() : kinds[lead()];
    }
    bool boolean(bool& out);
    bool number(Number& out);
    bool text(std::string& out);
    bool binary(std::string& out);
    bool json(std::string& out);  // the next value as JSON text
    bool skip() { return skip(0); }
    bool skip_anything();
    bool at_end() const { return at_ == bytes_.size(); }
    std::size_t position() const { return at_; }

    template <class Element>
    bool array(Element&& element) {
        std::uint32_t count = 0;
        if (!array_header(count)) return false;
        for (; count > 0; --count) {
            if (!element()) return false;
        }
        return true;
    }
    template <class Member>
    bool object(Member&& member) {
        std::uint32_t count = 0;
        if (!map_header(count)) return false;
        for (; count > 0; --count) {
            std::string_view key;
            if (!string(key, key_) || !member(key)) return false;
        }
        return true;
    }

private:
    static const std::array<Kind, 256> kinds;  // of a value, by its first byte
    /// Ably's JavaScript SDK writes `undefined` as an extension of type 0 with one byte.
    static constexpr unsigned undefined_lead = 0xd4;
    Kind undefined_kind() const { return at_ + 1 < bytes_.size() && bytes_[at_ + 1] == 0 ? Kind::null : Kind::other; }

    bool skip(int depth);
    unsigned lead() const { return static_cast<unsigned char>(bytes_[at_]); }
    bool array_header(std::uint32_t& count);
    bool map_header(std::uint32_t& count);
    bool string(std::string_view& out, std::string& replaced);
    bool skip_bytes();
    bool skip_extension();
    bool counted(int count_bytes, std::size_t extra, std::string_view& out);
    bool take(std::size_t size, std::string_view& out);
    template <class Unsigned>
    bool big_endian(Unsigned& out);

    std::string_view bytes_;
    std::size_t at_ = 0;
    std::string key_;  // a key that was not UTF-8
};

}  // namespace protocol
