#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postgres::pgoutput {

/// Builds messages the way the grammar in docs/pgoutput.md reads.
class Bytes {
public:
    explicit Bytes(char kind) { out_ += kind; }
    Bytes& i8(int value) { return integer(static_cast<std::uint64_t>(value), 1); }
    Bytes& i16(int value) { return integer(static_cast<std::uint64_t>(value), 2); }
    Bytes& i32(std::int64_t value) { return integer(static_cast<std::uint64_t>(value), 4); }
    Bytes& i64(std::uint64_t value) { return integer(value, 8); }
    Bytes& c(char value) { return raw({&value, 1}); }
    Bytes& raw(std::string_view value) { return out_ += value, *this; }
    Bytes& text(std::string_view value) { return raw(value), i8(0); }
    Bytes& column(std::string_view value) { return c('t').i32(static_cast<std::int64_t>(value.size())).raw(value); }
    operator const std::string&() const { return out_; }

private:
    Bytes& integer(std::uint64_t value, int size) {
        for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out_ += static_cast<char>(value >> shift & 0xFF);
        return *this;
    }
    std::string out_;
};

}  // namespace postgres::pgoutput
