#include "protocol/vcdiff.hpp"

#include <chrono>
#include <random>

#include <gtest/gtest.h>

#include "protocol/vcdiff_decoder.test.hpp"

namespace protocol {
namespace {

using namespace std::string_literals;
using test::vcdiff_decode;

std::string round_trip(std::string_view base, std::string_view target) { return vcdiff_decode(base, vcdiff_encode(base, target)); }

/// A list of records as applications publish them: much of each is like the others.
std::string document(std::size_t records, std::mt19937& random) {
    std::string text = "[";
    for (std::size_t i = 0; i < records; ++i) {
        text += R"({"id":)" + std::to_string(1'000 + i) + R"(,"status":"active","price":)" + std::to_string(random() % 100'000) + "},";
    }
    return text + "]";
}

/// A few random insertions, deletions, replacements and moves.
std::string edited(std::string text, std::mt19937& random) {
    for (auto edits = 1 + random() % 5; edits > 0; --edits) {
        const auto at = random() % (text.size() + 1);
        const auto size = std::min<std::size_t>(text.size() - at, random() % 40);
        switch (random() % 4) {
            case 0: text.insert(at, std::to_string(random())); break;
            case 1: text.erase(at, size); break;
            case 2: text.replace(at, size, size, static_cast<char>('a' + random() % 26)); break;
            default: {
                const auto moved = text.substr(at, size);
                text.erase(at, size);
                text.insert(random() % (text.size() + 1), moved);
            }
        }
    }
    return text;
}

TEST(Vcdiff, what_changed_in_a_small_document_takes_few_bytes) {
    const std::string_view base = R"({"foo":"bar","count":2,"status":"active"})";
    const std::string_view target = R"({"foo":"bar","count":2,"status":"inactive"})";
    const auto delta = vcdiff_encode(base, target);
    // 13 bytes that make 43 of the 41 from 0 on: COPY 33 from 0 (in the same cache), ADD 2, COPY 8 from 33.
    EXPECT_EQ(delta, "\xd6\xc3\xc4\0\0\x01\x29\0\x0d\x2b\0\x02\x04\x02in\x73\x21\x03\x18\0\x21"s);
    EXPECT_EQ(vcdiff_decode(base, delta), target);
}

TEST(Vcdiff, is_the_target_again_for_bases_and_targets_of_any_size) {
    std::mt19937 random{1};
    const auto text = document(40, random);
    for (std::size_t base = 0; base < 24; ++base) {
        for (std::size_t target = 0; target < 24; ++target) {
            EXPECT_EQ(round_trip(text.substr(0, base), text.substr(3, target)), text.substr(3, target));
        }
    }
    EXPECT_EQ(round_trip("", text), text);
    EXPECT_EQ(round_trip(text, ""), "");
    EXPECT_EQ(round_trip(text, text), text);
}

TEST(Vcdiff, is_the_target_again_after_random_edits) {
    std::mt19937 random{2};
    for (int i = 0; i < 500; ++i) {
        const auto base = document(random() % 60, random);
        const auto target = edited(base, random);
        ASSERT_EQ(round_trip(base, target), target) << base << "\n" << target;
    }
}

TEST(Vcdiff, is_the_target_again_for_bytes_with_few_values) {
    std::mt19937 random{3};
    for (int i = 0; i < 2'000; ++i) {
        std::string base(random() % 200, 0), target(random() % 200, 0);
        for (auto* text : {&base, &target}) {
            for (auto& byte : *text) byte = static_cast<char>(random() % 3 * 127);
        }
        ASSERT_EQ(round_trip(base, target), target);
    }
}

TEST(Vcdiff, edits_of_a_large_document_take_a_small_part_of_it) {
    std::mt19937 random{4};
    const auto base = document(1'000, random);
    for (int i = 0; i < 20; ++i) {
        const auto target = edited(base, random);
        EXPECT_LT(vcdiff_encode(base, target).size(), 250) << "of " << target.size();
    }
}

TEST(Vcdiff, of_what_has_nothing_in_common_is_little_more_than_the_target) {
    std::mt19937 random{5};
    std::string base(10'000, 0), target(10'000, 0);
    for (auto& byte : base) byte = static_cast<char>(random());
    for (auto& byte : target) byte = static_cast<char>(random());
    EXPECT_LT(vcdiff_encode(base, target).size(), target.size() + 30);
}

TEST(Vcdiff, takes_linear_time_whatever_is_compared) {
    const std::string a(1 << 20, 'a');
    auto b = a;
    for (std::size_t i = 0; i < b.size(); i += 100) b[i] = 'b';
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(round_trip(a, b), b);
    EXPECT_EQ(round_trip(b, a), a);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{20});  // quadratic: an hour
}

}  // namespace
}  // namespace protocol
