#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "protocol/value.hpp"

namespace protocol {

/// Appends JSON without white space to a string that outlives it. Text must be well-formed UTF-8.
class JsonWriter {
public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    void null() { out_ += "null"; }
    void boolean(bool value) { out_ += value ? "true" : "false"; }
    void number(const Number& value);
    void integer(std::int64_t value);
    void text(std::string_view value);
    void json(std::string_view value) { out_ += value; }

    /// Before each element of an array, and with its key before each member of an object.
    void element() {
        if (out_.back() != '[' && out_.back() != '{') out_ += ',';
    }
    void key(std::string_view name) {
        element();
        text(name);
        out_ += ':';
    }
    /// A key that is known to have nothing to escape: here, so that a constant one is written as such.
    void name(std::string_view plain) {
        const bool first = out_.back() == '{';
        append(plain.size() + (first ? 3 : 4), [&](char* to) {
            if (!first) *to++ = ',';
            *to++ = '"';
            std::memcpy(to, plain.data(), plain.size());
            std::memcpy(to + plain.size(), "\":", 2);
        });
    }

    template <class Elements>
    void array(Elements&& elements) {
        out_ += '[';
        elements();
        out_ += ']';
    }
    template <class Members>
    void object(Members&& members) {
        out_ += '{';
        members();
        out_ += '}';
    }

private:
    /// So many bytes more, for `write` to fill.
    template <class Write>
    void append(std::size_t bytes, Write&& write) {
        const auto before = out_.size(), after = before + bytes;
        out_.resize_and_overwrite(after, [&](char* text, std::size_t) {
            write(text + before);
            return after;
        });
    }

    std::string& out_;
};

}  // namespace protocol
