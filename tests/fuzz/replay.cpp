// Runs fuzz_one on every file of a corpus and on seeded random mutations of them.
// Usage: replay CORPUS_FOLDER [MUTATIONS [SEED]]

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

/// What parsers trip over: structure, lengths, ends of ranges.
char interesting_byte(Random& random) {
    using namespace std::string_view_literals;
    constexpr auto bytes = "{}[]\",:\\/.-+0129eEu*?=&!\n\0\x7f\x80\x81\x90\xa1\xc0\xc1\xc3\xc4\xc6\xcb\xcf\xd3\xd4\xdb\xdd\xdf\xed\xf4\xff"sv;
    return random() % 4 == 0 ? static_cast<char>(random()) : bytes[below(random, bytes.size())];
}

std::string mutated(std::string input, const std::vector<std::string>& corpus, Random& random) {
    for (auto changes = 1 + below(random, 4); changes > 0; --changes) {
        const auto at = below(random, input.size() + 1);
        const auto size = below(random, std::min<std::size_t>(input.size() - at, 16) + 1);
        switch (below(random, 6)) {
            case 0: input.insert(at, 1, interesting_byte(random)); break;
            case 1: input.erase(at, size); break;
            case 2: input.insert(at, input.substr(at, size)); break;
            case 3:
                if (at < input.size()) input[at] = interesting_byte(random);
                break;
            case 4: input.resize(at); break;
            default: {
                const auto& other = corpus[below(random, corpus.size())];
                input = input.substr(0, at) + other.substr(below(random, other.size() + 1));
            }
        }
    }
    return input;
}

std::vector<std::string> read_corpus(const char* folder) {
    std::vector<std::string> corpus;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream file{entry.path(), std::ios::binary};
        corpus.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
    }
    std::ranges::sort(corpus);  // so that a seed means the same everywhere
    return corpus;
}

std::string running;  // for the report when fuzz_one aborts

void run(std::string input) {
    running = std::move(input);
    fuzz_one(std::as_bytes(std::span{running}));
}

void report_input(int) {
    std::cerr << "input (" << running.size() << " bytes):";
    for (const char byte : running) std::cerr << ' ' << std::hex << static_cast<int>(static_cast<unsigned char>(byte));
    std::cerr << "\nas text: " << running << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    const auto corpus = argc > 1 ? read_corpus(argv[1]) : std::vector<std::string>{};
    if (corpus.empty()) {
        std::cerr << "usage: replay CORPUS_FOLDER [MUTATIONS [SEED]]\n";
        return 2;
    }
    const auto mutations = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20'000;
    const auto seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
    std::signal(SIGABRT, report_input);
    for (const auto& input : corpus) run(input);
    Random random{seed};
    for (std::uint64_t i = 0; i < mutations; ++i) run(mutated(corpus[below(random, corpus.size())], corpus, random));
    std::cout << corpus.size() << " inputs and " << mutations << " mutations, seed " << seed << '\n';
}
