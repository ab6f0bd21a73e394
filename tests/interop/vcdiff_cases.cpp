// Prints deltas for decoders that are not ours: base, target and delta as lines of base64, three to a case.
// Usage: vcdiff_cases CASES SEED

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "base/base64.hpp"
#include "protocol/vcdiff.hpp"

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

/// JSON, text with few letters, or any bytes; from nothing to some 50 KB.
std::string payload(Random& random) {
    const auto size = below(random, std::size_t{1} << below(random, 17));
    const auto kind = below(random, 3);
    std::string made;
    while (made.size() < size) {
        if (kind == 0) made += R"({"id":)" + std::to_string(below(random, 1'000)) + R"(,"name":"n","tags":["a","b"]},)";
        else made += static_cast<char>(kind == 1 ? 'a' + below(random, 3) : random());
    }
    return made;
}

std::string edited(std::string text, Random& random) {
    for (auto edits = below(random, 6); edits > 0; --edits) {
        const auto at = below(random, text.size() + 1);
        const auto size = below(random, std::min<std::size_t>(text.size() - at, 200) + 1);
        const auto part = text.substr(at, size);
        switch (below(random, 4)) {
            case 0: text.insert(at, payload(random).substr(0, 100)); break;
            case 1: text.erase(at, size); break;
            case 2: text.insert(below(random, text.size() + 1), part); break;
            default: text.replace(at, size, std::to_string(random())); break;
        }
    }
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: vcdiff_cases CASES SEED\n";
        return 2;
    }
    Random random{std::strtoull(argv[2], nullptr, 10)};
    for (auto left = std::strtoull(argv[1], nullptr, 10); left > 0; --left) {
        const auto base = payload(random);
        const auto target = below(random, 8) == 0 ? payload(random) : edited(base, random);
        for (const auto& bytes : {base, target, protocol::vcdiff_encode(base, target)}) std::cout << base::base64_encode(bytes) << '\n';
    }
}
