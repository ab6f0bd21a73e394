#include "protocol/vcdiff.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace protocol {
namespace {

/// Addresses go up to both sizes together, and some decoders keep them in 31 bits.
constexpr std::size_t size_max = std::size_t{1} << 30;

/// RFC 3284 §2: seven bits a byte, the highest first, all but the last with the top bit set.
std::size_t integer_bytes(std::size_t value) { return std::max<std::size_t>(1, (std::bit_width(value) + 6) / 7); }

void append_integer(std::string& out, std::size_t value) {
    for (auto left = integer_bytes(value); left-- > 1;) out += static_cast<char>(0x80 | (value >> (7 * left) & 0x7f));
    out += static_cast<char>(value & 0x7f);
}

/// RFC 3284 §5.3: where copies came from, which later ones may refer to in fewer bytes.
class AddressCache {
public:
    struct Address {
        std::size_t mode, value;
        std::size_t bytes() const { return mode >= first_same ? 1 : integer_bytes(value); }
    };

    /// The shortest way to say `address`, with `here` the place of the next byte behind base and target so far.
    Address shortest(std::size_t address, std::size_t here) const {
        if (same_[address % same_.size()] == address) return {first_same + address % same_.size() / 256, address % 256};
        Address best{.mode = 0, .value = address};
        const auto consider = [&](std::size_t mode, std::size_t value) {
            if (value < best.value) best = {mode, value};
        };
        consider(1, here - address);
        for (std::size_t i = 0; i < near_.size(); ++i) {
            if (address >= near_[i]) consider(first_near + i, address - near_[i]);
        }
        return best;
    }
    void remember(std::size_t address) {
        near_[std::exchange(next_near_, (next_near_ + 1) % near_.size())] = address;
        same_[address % same_.size()] = address;
    }

private:
    static constexpr std::size_t first_near = 2, first_same = 6;
    std::array<std::size_t, 4> near_{};
    std::array<std::size_t, 3 * 256> same_{};
    std::size_t next_near_ = 0;
};

/// The places of the base by the four bytes that begin there. Of bytes that are there often only some places are looked at.
class BaseIndex {
public:
    static constexpr std::size_t key_bytes = 4;

    explicit BaseIndex(std::string_view base) {
        if (base.size() < key_bytes) return;
        bits_ = std::clamp(static_cast<int>(std::bit_width(base.size())), 4, 16);
        heads_.resize(std::size_t{1} << bits_, nowhere);
        later_.resize(base.size() - key_bytes + 1);
        for (auto at = later_.size(); at-- > 0;) {
            later_[at] = std::exchange(heads_[hash(base.data() + at)], static_cast<std::uint32_t>(at));
        }
    }

    /// Calls visit(place) for places that may begin like `key`, the first ones of the base first.
    template <class Visit>
    void candidates(const char* key, Visit&& visit) const {
        if (heads_.empty()) return;
        auto at = heads_[hash(key)];
        for (int left = candidates_max; at != nowhere && left > 0; at = later_[at], --left) visit(at);
    }

private:
    static constexpr std::uint32_t nowhere = UINT32_MAX;
    static constexpr int candidates_max = 16;

    std::size_t hash(const char* key) const {
        std::uint32_t bytes = 0;
        std::memcpy(&bytes, key, key_bytes);
        return bytes * 2'654'435'761u >> (32 - bits_);
    }

    int bits_ = 0;
    std::vector<std::uint32_t> heads_, later_;
};

/// Some bytes of the target that are in the base too.
struct Match {
    std::size_t target = 0, base = 0, size = 0;
};

/// Writes the three sections of a window (RFC 3284 §4.3), with single instructions of the default code table (§5.6) only.
class Window {
public:
    Window(std::string_view base, std::string_view target) : base_(base), target_(target) {}

    /// Copies when that takes fewer bytes than adding would.
    bool take(const Match& match) {
        const auto address = cache_.shortest(match.base, base_.size() + match.target);
        const auto copying = 1 + (match.size > copy_size_max ? integer_bytes(match.size) : 0) + address.bytes();
        const std::size_t adding = match.target > written_ ? 3 : 0;  // what is added becomes two, the other one with a size of its own
        if (match.size <= copying + adding) return false;
        add_until(match.target);
        const auto code = first_copy + codes_per_mode * address.mode;
        append_sized(code, code - copy_size_min + 1, match.size >= copy_size_min && match.size <= copy_size_max, match.size);
        if (address.bytes() == 1) addresses_ += static_cast<char>(address.value);
        else append_integer(addresses_, address.value);
        cache_.remember(match.base);
        written_ = match.target + match.size;
        return true;
    }
    std::size_t written() const { return written_; }

    std::string finish() && {
        add_until(target_.size());
        std::string body;
        append_integer(body, target_.size());
        body += '\0';  // Delta_Indicator: no section is compressed
        for (const auto* section : {&data_, &instructions_, &addresses_}) append_integer(body, section->size());
        for (const auto* section : {&data_, &instructions_, &addresses_}) body += *section;

        using namespace std::string_literals;
        auto delta = "\xd6\xc3\xc4\0\0"s;  // "VCD" with the top bits set, version 0; Hdr_Indicator: nothing of one's own
        delta += base_.empty() ? '\0' : '\1';  // Win_Indicator: VCD_SOURCE
        if (!base_.empty()) {
            append_integer(delta, base_.size());
            append_integer(delta, 0);  // from its begin
        }
        append_integer(delta, body.size());
        return delta + body;
    }

private:
    static constexpr std::size_t first_add = 1, add_size_max = 17;
    static constexpr std::size_t first_copy = 19, codes_per_mode = 16, copy_size_min = 4, copy_size_max = 18;

    void add_until(std::size_t end) {
        const auto size = end - written_;
        if (size == 0) return;
        append_sized(first_add, first_add, size <= add_size_max, size);
        data_ += target_.substr(written_, size);
        written_ = end;
    }
    /// The code for just this size, or the one that a size follows.
    void append_sized(std::size_t code, std::size_t code_of_size_0, bool has_own, std::size_t size) {
        instructions_ += static_cast<char>(has_own ? code_of_size_0 + size : code);
        if (!has_own) append_integer(instructions_, size);
    }

    std::string_view base_, target_;
    AddressCache cache_;
    std::string data_, instructions_, addresses_;
    std::size_t written_ = 0;  // of the target
};

}  // namespace

std::string vcdiff_encode(std::string_view base, std::string_view target) {
    PAL_ASSERT(base.size() < size_max && target.size() < size_max);
    const BaseIndex index{base};
    Window window{base, target};
    Match last;  // that was copied
    for (std::size_t at = 0; at + BaseIndex::key_bytes <= target.size();) {
        // The longest match that has these bytes in it wins: the work on all candidates is then bounded by what is copied.
        Match best;
        const auto consider = [&](std::size_t place) {
            std::size_t ahead = 0, behind = 0;
            while (place + ahead < base.size() && at + ahead < target.size() && base[place + ahead] == target[at + ahead]) ++ahead;
            const auto room = std::min(place, at - window.written());
            while (behind < room && base[place - behind - 1] == target[at - behind - 1]) ++behind;
            if (ahead + behind > best.size) best = {.target = at - behind, .base = place - behind, .size = ahead + behind};
        };
        const auto straight_on = last.base + (at - last.target);  // what was replaced by something as long, or not at all
        if (straight_on < base.size()) consider(straight_on);
        index.candidates(target.data() + at, consider);
        if (best.size > 0 && window.take(best)) {
            last = best;
            at = window.written();
        } else {
            ++at;
        }
    }
    return std::move(window).finish();
}

}  // namespace protocol
