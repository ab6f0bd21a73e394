#include "server/allowed_hosts.hpp"

#include <gtest/gtest.h>

namespace server {
namespace {

TEST(AllowedHosts, are_those_of_the_listener_and_those_that_are_named) {
    const auto hosts = AllowedHosts::of_listener("192.0.2.7", {"chat.example.org", "*.Example.com"});
    for (const auto* host : {"localhost", "localhost:8080", "LOCALHOST.", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8080",
                             "192.0.2.7:8080", "chat.example.org", "Chat.Example.ORG:443", "a.example.com", "a.b.example.com:1"}) {
        EXPECT_TRUE(hosts.allows(host)) << host;
    }
    for (const auto* host :
         {"", ":8080", "evil.example", "localhost.evil.example", "chat.example.org.evil.example", "evilexample.com", "example.com",
          ".example.com", "192.0.2.8", "[::2]", "127.0.0.1.evil.example", "localhost@evil.example", "[", "2130706433"}) {
        EXPECT_FALSE(hosts.allows(host)) << host;
    }
}

TEST(AllowedHosts, where_all_addresses_are_listened_on_any_address_is_ours_but_no_name) {
    for (const auto* all : {"0.0.0.0", "::"}) {
        const auto hosts = AllowedHosts::of_listener(all, {});
        for (const auto* host : {"192.0.2.8:8080", "[2001:db8::1]:8080", "localhost:8080"}) EXPECT_TRUE(hosts.allows(host)) << host;
        for (const auto* host : {"evil.example", "192.0.2.8.evil.example", "127.1"}) EXPECT_FALSE(hosts.allows(host)) << host;
    }
}

TEST(AllowedHosts, may_be_any) {
    EXPECT_TRUE(AllowedHosts{}.allows("evil.example"));
    EXPECT_TRUE(AllowedHosts::of_listener("127.0.0.1", {"*"}).allows("evil.example"));
}

}  // namespace
}  // namespace server
