#include "net/address.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

Address address(std::string_view text) { return Address::parse(text).value(); }
Cidr cidr(std::string_view text) { return Cidr::parse(text).value(); }

TEST(Address, is_read_as_headers_have_it) {
    EXPECT_EQ(address("192.0.2.7").to_string(), "192.0.2.7");
    EXPECT_EQ(address(" 192.0.2.7:8080 "), address("192.0.2.7"));
    EXPECT_EQ(address("\"[2001:db8::1]:443\""), address("2001:db8::1"));
    EXPECT_EQ(address("::ffff:192.0.2.7"), address("192.0.2.7"));
    EXPECT_EQ(address("fe80::1%eth0"), address("fe80::1"));
    for (const auto* wrong : {"", "unknown", "192.0.2", "192.0.2.7.8", "[::1", "2001:db8::g", "_hidden"}) {
        EXPECT_FALSE(Address::parse(wrong)) << wrong;
    }
}

TEST(Address, of_IPv6_the_first_half_counts) {
    EXPECT_EQ(address("2001:db8:1:2:3:4:5:6").counted(), address("2001:db8:1:2:ffff::1").counted());
    EXPECT_NE(address("2001:db8:1:2::1").counted(), address("2001:db8:1:3::1").counted());
    EXPECT_EQ(address("192.0.2.7").counted(), address("192.0.2.7"));
    EXPECT_NE(address("192.0.2.7").counted(), address("192.0.2.8").counted());
}

TEST(Cidr, contains_what_begins_alike) {
    EXPECT_TRUE(cidr("10.0.0.0/8").contains(address("10.255.0.1")));
    EXPECT_FALSE(cidr("10.0.0.0/8").contains(address("11.0.0.1")));
    EXPECT_TRUE(cidr("192.0.2.128/25").contains(address("192.0.2.129")));
    EXPECT_FALSE(cidr("192.0.2.128/25").contains(address("192.0.2.127")));
    EXPECT_TRUE(cidr("0.0.0.0/0").contains(address("8.8.8.8")));
    EXPECT_FALSE(cidr("0.0.0.0/0").contains(address("2001:db8::1")));
    EXPECT_TRUE(cidr("::/0").contains(address("2001:db8::1")));
    EXPECT_TRUE(cidr("::1").contains(address("::1")));
    for (const auto* wrong : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", "10/8", "host/8"})
        EXPECT_FALSE(Cidr::parse(wrong)) << wrong;
}

TEST(ClientBehind, only_what_a_trusted_proxy_says_is_believed) {
    const std::vector<Cidr> proxies{cidr("10.0.0.0/8")};
    const auto proxy = address("10.0.0.1"), client = address("192.0.2.7");
    EXPECT_EQ(client_behind(client, "198.51.100.1", proxies), client);
    EXPECT_EQ(client_behind(proxy, "192.0.2.7", proxies), client);
    EXPECT_EQ(client_behind(proxy, "198.51.100.1, 192.0.2.7, 10.0.0.2", proxies), client);  // the first is what the client made up
    EXPECT_EQ(client_behind(proxy, "", proxies), proxy);
    EXPECT_EQ(client_behind(proxy, "192.0.2.7, nonsense", proxies), proxy);
    EXPECT_EQ(client_behind(proxy, "10.0.0.3, 10.0.0.2", proxies), address("10.0.0.3"));
}

}  // namespace
}  // namespace net
