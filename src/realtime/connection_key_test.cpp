#include "realtime/connection_key.hpp"

#include <gtest/gtest.h>

using namespace realtime;

TEST(ConnectionKey, CD2b_is_believed_only_from_who_has_the_secret) {
    const auto key = make_connection_key("abc", 0x19ab2c3d4e5, "nonce", "secret");
    EXPECT_EQ(check_connection_key(key, "secret"), (ConnectionKey{"abc", 0x19ab2c3d4e5, "nonce"}));
    EXPECT_EQ(check_connection_key(key, "another"), std::nullopt);
}

TEST(ConnectionKey, refuses_what_was_changed_or_cut) {
    const auto key = make_connection_key("abc", 7, "nonce", "secret");
    for (std::size_t i = 0; i < key.size(); ++i) {
        auto changed = key;
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        EXPECT_EQ(check_connection_key(changed, "secret"), std::nullopt) << changed;
        EXPECT_EQ(check_connection_key(key.substr(0, i), "secret"), std::nullopt) << i;
    }
}

TEST(ConnectionKey, RTN16_another_nonce_is_another_key_of_the_same_connection) {
    const auto one = make_connection_key("abc", 7, "a", "secret"), other = make_connection_key("abc", 7, "b", "secret");
    EXPECT_NE(one, other);
    EXPECT_EQ(check_connection_key(one, "secret"), (ConnectionKey{"abc", 7, "a"}));
    EXPECT_EQ(check_connection_key(other, "secret"), (ConnectionKey{"abc", 7, "b"}));
}
