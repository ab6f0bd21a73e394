#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"

namespace fuzz {

/// An input of a parser that is fed piece by piece: its first bytes say how long the pieces are, over and over; a zero ends them, and
/// what follows is the stream itself.
struct Chunked {
    std::vector<std::size_t> sizes;
    std::string_view stream;

    explicit Chunked(std::span<const std::byte> input) : stream(text_of(input)) {
        constexpr std::size_t sizes_max = 8;
        while (!stream.empty()) {
            const auto size = static_cast<unsigned char>(stream.front());
            if (size != 0 && sizes.size() == sizes_max) break;
            stream.remove_prefix(1);
            if (size == 0) break;
            sizes.push_back(size);
        }
        if (sizes.empty()) sizes.push_back(1);
    }

    /// Calls take(piece) for each piece until it gives false.
    template <class Take>
    void each(Take&& take) const {
        std::size_t next = 0;
        for (auto left = stream; !left.empty();) {
            const auto piece = left.substr(0, sizes[next++ % sizes.size()]);
            left.remove_prefix(piece.size());
            if (!take(piece)) return;
        }
    }
};

}  // namespace fuzz
