#include "server/nonces.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace server {
namespace {

using namespace std::chrono_literals;
using Use = Nonces::Use;
const auto start = base::from_ms(1'700'000'000'000);

TEST(Nonces, RSA9f_a_nonce_is_good_once_for_its_key) {
    Nonces nonces;
    EXPECT_EQ(nonces.use("app.key", "one", start + 2min, start), Use::first);
    EXPECT_EQ(nonces.use("app.key", "one", start + 2min, start), Use::again);
    EXPECT_EQ(nonces.use("app.key", "two", start + 2min, start), Use::first);
    EXPECT_EQ(nonces.use("app.another", "one", start + 2min, start), Use::first);
}

TEST(Nonces, are_kept_until_their_request_is_too_old_and_no_longer) {
    Nonces nonces;
    ASSERT_EQ(nonces.use("app.key", "one", start + 2min, start), Use::first);
    EXPECT_EQ(nonces.use("app.key", "one", start + 2min, start + 2min), Use::again);
    EXPECT_EQ(nonces.use("app.key", "two", start + 5min, start + 2min + 1ms), Use::first);
    EXPECT_EQ(nonces.size(), 1u);
}

TEST(Nonces, a_key_that_is_full_refuses_its_own_and_no_others) {
    Nonces nonces;
    for (std::size_t i = 0; i < base::limits::nonces_per_key_max; ++i) {
        ASSERT_EQ(nonces.use("app.key", std::to_string(i), start + 2min, start), Use::first);
    }
    EXPECT_EQ(nonces.use("app.key", "more", start + 2min, start), Use::full);
    EXPECT_EQ(nonces.use("app.key", "7", start + 2min, start), Use::again);
    EXPECT_EQ(nonces.use("app.another", "more", start + 2min, start), Use::first);
    // What was refused for want of room was not used.
    EXPECT_EQ(nonces.use("app.key", "more", start + 5min, start + 2min + 1ms), Use::first);
}

TEST(Nonces, many_keys_never_fill_all_of_it) {
    Nonces nonces;
    for (int key = 0; key < 30; ++key) {
        const auto name = fmt::format("app.key{}", key);
        for (std::size_t i = 0; i < base::limits::nonces_per_key_max / 2; ++i) nonces.use(name, std::to_string(i), start + 2min, start);
    }
    EXPECT_LT(nonces.size(), base::limits::nonces_max);
    EXPECT_EQ(nonces.use("app.new", "one", start + 2min, start), Use::first);
}

}  // namespace
}  // namespace server
