#include "net/gzip.hpp"

#include <random>

#include <gtest/gtest.h>

namespace net {
namespace {

using Result = std::expected<std::string, GunzipError>;

TEST(Gzip, gives_back_what_it_was_given) {
    std::mt19937 random{1};
    for (const std::size_t size : {0u, 1u, 100u, 16'384u, 16'385u, 100'000u}) {
        std::string noise(size, '\0');
        for (char& c : noise) c = static_cast<char>(random());
        for (const auto& text : {noise, std::string(size, 'x')}) {
            for (const int level : {1, 9}) EXPECT_EQ(gunzip(gzip(text, level), size), text) << size;
        }
    }
    EXPECT_LT(gzip(std::string(100'000, 'x'), 1).size(), 1'000u);
}

TEST(Gzip, RFC1952_2_2_members_follow_each_other) { EXPECT_EQ(gunzip(gzip("one, ", 9) + gzip("two", 1), 100), "one, two"); }

TEST(Gzip, what_inflates_to_more_than_the_bound_is_refused_at_the_bound) {
    const auto bomb = gzip(std::string(50u << 20, '\0'), 9);
    EXPECT_LT(bomb.size(), 60'000u);
    EXPECT_EQ(gunzip(bomb, 2u << 20), Result{std::unexpected(GunzipError::too_large)});
    EXPECT_EQ(gunzip(gzip("1234567890", 9), 9), Result{std::unexpected(GunzipError::too_large)});
    EXPECT_EQ(gunzip(gzip("12345", 9) + gzip("67890", 9), 9), Result{std::unexpected(GunzipError::too_large)});
}

TEST(Gzip, what_is_not_whole_is_malformed) {
    const auto whole = gzip("some text, some text, some text", 9);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(gunzip(whole.substr(0, size), 100), Result{std::unexpected(GunzipError::malformed)}) << size;
    }
    EXPECT_EQ(gunzip(whole + "x", 100), Result{std::unexpected(GunzipError::malformed)});
    EXPECT_EQ(gunzip("no gzip at all", 100), Result{std::unexpected(GunzipError::malformed)});
}

}  // namespace
}  // namespace net
