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
        append(name_bytes_max + plain.size(), [&](char* to) { return put_name(to, plain); });
    }

    /// A member: name() and then text() or integer(), at once.
    void named(std::string_view plain, std::string_view text);
    void named(std::string_view plain, std::int64_t integer);

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
    static constexpr std::size_t name_bytes_max = 4, integer_bytes_max = 20;  // of a name besides itself

    template <class Write>
    void append(std::size_t most, Write&& write) {
        append_up_to(out_, most, write);
    }
    char* put_name(char* to, std::string_view plain) const {
        if (to[-1] != '{') *to++ = ',';
        *to++ = '"';
        std::memcpy(to, plain.data(), plain.size());
        std::memcpy(to + plain.size(), "\":", 2);
        return to + plain.size() + 2;
    }
    static char* put_plain_text(char* to, std::string_view plain) {
        *to++ = '"';
        std::memcpy(to, plain.data(), plain.size());
        to[plain.size()] = '"';
        return to + plain.size() + 1;
    }

    std::string& out_;
};

}  // namespace protocol
