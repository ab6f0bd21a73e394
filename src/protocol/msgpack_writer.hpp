#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/value.hpp"

namespace protocol {

/// Appends MessagePack, each value in its shortest form, to a string that outlives it; the same members as JsonWriter.
class MsgpackWriter {
public:
    explicit MsgpackWriter(std::string& out) : out_(out) {}

    void null() { out_ += '\xc0'; }
    void boolean(bool value) { out_ += value ? '\xc3' : '\xc2'; }
    void number(const Number& value);
    void integer(std::int64_t value);
    void text(std::string_view value);
    void binary(std::string_view value);
    void json(std::string_view value);  // as MessagePack; null when it is not JSON

    void element() { ++count_; }
    void key(std::string_view name) {
        ++count_;
        text(name);
    }
    void name(std::string_view plain) { key(plain); }
    void named(std::string_view plain, std::string_view value);
    void named(std::string_view plain, std::int64_t value);

    template <class Elements>
    void array(Elements&& elements) {
        container(elements, 0x90, 0xdc);
    }
    template <class Members>
    void object(Members&& members) {
        container(members, 0x80, 0xde);
    }

private:
    /// The count stands in front of what is counted: one byte is kept for it, and more are made room for when it needs them.
    template <class Content>
    void container(Content& content, unsigned small, unsigned large) {
        const auto outer = std::exchange(count_, 0);
        const auto at = out_.size();
        out_ += '\0';
        content();
        put_count(at, small, large);
        count_ = outer;
    }
    void put_count(std::size_t at, unsigned small, unsigned large);
    template <class Write>
    void append(std::size_t most, Write&& write) {
        append_up_to(out_, most, write);
    }
    void append_lead(unsigned lead, std::uint64_t value, int bytes);

    std::string& out_;
    std::size_t count_ = 0;
};

}  // namespace protocol
