#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/value.hpp"

namespace protocol {

/// Reads a JSON text (RFC 8259) value by value, without a tree: what we keep as text (extras) stays byte for byte as it was.
/// Stricter than the grammar where MessagePack or a double could not follow: text must be well-formed UTF-8, numbers must be in a
/// double's range. Half of an escaped surrogate pair, as browsers write a text that was cut within a character, is U+FFFD. Every
/// member that returns bool is false when the input is not what was asked for; reading on makes no sense then. The input outlives the
/// reader.
class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    /// Of the next value, which stays.
    Kind kind() {
        skip_space();
        return at_ == text_.size() ? Kind::none : kinds[static_cast<unsigned char>(text_[at_])];
    }
    bool boolean(bool& out);
    bool number(Number& out);
    bool text(std::string& out);
    bool json(std::string& out);  // the next value's own text, but for lone surrogates
    bool skip() { return skip(0); }
    /// … however deep it is, and whatever its numbers: to find what stands beside a value that is refused.
    bool skip_anything();
    bool at_end();                // nothing but white space is left
    std::size_t position() const { return at_; }

    /// Calls `element()` before each element; it must read it.
    template <class Element>
    bool array(Element&& element) {
        if (!take('[')) return false;
        if (take(']')) return true;
        do {
            if (!element()) return false;
        } while (take(','));
        return take(']');
    }

    /// Calls `member(key)` before each value; it must read it. The key is gone once it did.
    template <class Member>
    bool object(Member&& member) {
        if (!take('{')) return false;
        if (take('}')) return true;
        do {
            std::string_view key;
            if (!string(key, key_) || !take(':') || !member(key)) return false;
        } while (take(','));
        return take('}');
    }

private:
    bool skip(int depth);
    bool take(char expected) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != expected) return false;
        ++at_;
        return true;
    }
    bool literal(std::string_view word);
    bool skip_key();
    bool string(std::string_view& out, std::string& unescaped);
    bool escape(std::string& out);
    bool hex4(unsigned& out);
    bool low_surrogate(unsigned& out);
    std::optional<std::int64_t> usual_integer();
    std::string_view number_token();
    std::size_t digits();
    void skip_space() {
        if (at_ < text_.size() && text_[at_] <= ' ') skip_more_space();
    }
    void skip_more_space();

    static const std::array<Kind, 256> kinds;  // of a value, by its first byte

    std::string_view text_;
    std::size_t at_ = 0;
    bool replaced_ = false;  // a lone surrogate was, since json() began
    std::string key_;        // a key that had escapes
};

}  // namespace protocol
