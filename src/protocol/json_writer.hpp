#pragma once

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
    std::string& out_;
};

}  // namespace protocol
