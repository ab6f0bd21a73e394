#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

/// A decoder for what vcdiff_encode() writes: RFC 3284 with one window over the whole base and single instructions. Written
/// from the other end, the tables of §5.3 and §5.6, for tests and the fuzzer. Throws at what is not that.
namespace protocol::test {

class VcdiffDecoder {
public:
    VcdiffDecoder(std::string_view base, std::string_view delta) : in_(delta), built_(base), base_bytes_(base.size()) {}

    std::string decode() {
        using namespace std::string_view_literals;
        expect(take(in_, 5) == "\xd6\xc3\xc4\0\0"sv, "header");
        const auto source = byte(in_);
        expect(source == (base_bytes_ > 0 ? 1 : 0), "Win_Indicator");
        if (source == 1) expect(integer(in_) == base_bytes_ && integer(in_) == 0, "source segment");
        expect(integer(in_) == in_.size(), "length of the delta");
        const auto target_bytes = integer(in_);
        expect(byte(in_) == 0, "Delta_Indicator");
        const auto data = integer(in_), instructions = integer(in_), addresses = integer(in_);
        data_ = take(in_, data);
        auto left = take(in_, instructions);
        addresses_ = take(in_, addresses);
        while (!left.empty()) run(byte(left), left);
        expect(in_.empty() && data_.empty() && addresses_.empty() && built_.size() == base_bytes_ + target_bytes, "ends");
        return built_.substr(base_bytes_);
    }

private:
    void run(unsigned code, std::string_view& left) {
        if (code >= 1 && code <= 18) {
            built_ += take(data_, code == 1 ? integer(left) : code - 1);
            return;
        }
        expect(code >= 19 && code <= 162, "ADD or COPY");
        const auto mode = (code - 19) / 16, own = (code - 19) % 16;
        const auto size = own == 0 ? integer(left) : own + 3;
        const auto from = address(mode);
        expect(from < built_.size(), "address");
        near_[next_near_++ % 4] = from;
        same_[from % 768] = from;
        for (std::size_t i = 0; i < size; ++i) built_ += built_[from + i];
    }
    std::size_t address(unsigned mode) {
        if (mode == 0) return integer(addresses_);
        if (mode == 1) return built_.size() - integer(addresses_);
        if (mode < 6) return near_[mode - 2] + integer(addresses_);
        return same_[(mode - 6) * 256 + byte(addresses_)];
    }

    static void expect(bool holds, const char* what) {
        if (!holds) throw std::runtime_error(what);
    }
    static std::string_view take(std::string_view& from, std::size_t size) {
        expect(size <= from.size(), "more bytes");
        const auto taken = from.substr(0, size);
        from.remove_prefix(size);
        return taken;
    }
    static unsigned byte(std::string_view& from) { return static_cast<unsigned char>(take(from, 1)[0]); }
    static std::size_t integer(std::string_view& from) {
        std::size_t value = 0;
        for (unsigned next = 0x80; next & 0x80;) {
            next = byte(from);
            value = value << 7 | (next & 0x7f);
        }
        return value;
    }

    std::string_view in_, data_, addresses_;
    std::string built_;
    std::size_t base_bytes_;
    std::array<std::size_t, 4> near_{};
    std::array<std::size_t, 768> same_{};
    std::size_t next_near_ = 0;
};

inline std::string vcdiff_decode(std::string_view base, std::string_view delta) { return VcdiffDecoder{base, delta}.decode(); }

}  // namespace protocol::test
