#include "net/gate.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace net {
namespace {

using namespace std::chrono_literals;
const auto start = base::from_ms(1'700'000'000'000);
Address address(std::string_view text) { return Address::parse(text).value(); }
const auto ann = address("192.0.2.1"), bob = address("192.0.2.2");

TEST(Gate, an_address_has_so_many_connections_and_others_have_theirs) {
    Gate gate{{.connections = 2}};
    auto first = gate.enter(ann, start), second = gate.enter(ann, start);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(gate.enter(ann, start).error(), Gate::Refusal::connections);
    EXPECT_TRUE(gate.enter(bob, start));
    *first = Gate::Seat{};  // it goes
    EXPECT_TRUE(gate.enter(ann, start));
}

TEST(Gate, an_address_connects_so_often) {
    Gate gate{{.connections_per_second = 2}};
    EXPECT_TRUE(gate.enter(ann, start));
    EXPECT_TRUE(gate.enter(ann, start));
    EXPECT_EQ(gate.enter(ann, start).error(), Gate::Refusal::connections_per_second);
    EXPECT_TRUE(gate.enter(bob, start));
    EXPECT_TRUE(gate.enter(ann, start + 500ms));
}

TEST(Gate, an_address_is_given_so_many_tokens) {
    Gate gate{{.token_requests_per_second = 1}};
    EXPECT_TRUE(gate.token_request(ann, start));
    EXPECT_FALSE(gate.token_request(ann, start));
    EXPECT_TRUE(gate.token_request(bob, start));
    EXPECT_TRUE(gate.token_request(ann, start + 1s));
}

TEST(Gate, IPv6_counts_by_64) {
    Gate gate{{.connections = 1}};
    const auto seat = gate.enter(address("2001:db8:1:2::1"), start);
    EXPECT_FALSE(gate.enter(address("2001:db8:1:2:ffff::2"), start));
    EXPECT_TRUE(gate.enter(address("2001:db8:1:3::1"), start));
}

TEST(Gate, loopback_and_proxies_are_exempt_and_counted_in_all) {
    Gate gate{{.connections = 1, .connections_per_second = 1, .token_requests_per_second = 1,
               .proxies = {*Cidr::parse("192.0.2.1")}, .sockets_max = 3}};
    std::vector<Gate::Seat> seats;
    for (const auto* each : {"127.0.0.1", "127.8.8.8", "::1", "192.0.2.1"}) {
        EXPECT_FALSE(gate.full());
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(gate.token_request(address(each), start));
        seats.push_back(std::move(gate.enter(address(each), start).value()));
    }
    EXPECT_TRUE(gate.full());
    EXPECT_EQ(gate.addresses(), 0u);
    seats.clear();
    EXPECT_EQ(gate.sockets(), 0u);
}

TEST(Gate, zero_is_no_limit) {
    Gate gate{{.connections = 0, .connections_per_second = 0, .token_requests_per_second = 0}};
    std::vector<Gate::Seat> seats;
    for (int i = 0; i < 5'000; ++i) seats.push_back(std::move(gate.enter(ann, start).value()));
}

TEST(Gate, the_table_is_bounded_and_those_beyond_it_share_an_entry) {
    Gate gate{{.connections = 2}};
    std::vector<Gate::Seat> seats;
    for (std::size_t i = 0; i < base::limits::addresses_max; ++i) {
        seats.push_back(std::move(gate.enter(address(fmt::format("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255)), start).value()));
    }
    for (int i = 0; i < 2; ++i) seats.push_back(std::move(gate.enter(address(fmt::format("192.0.2.{}", i)), start).value()));
    EXPECT_FALSE(gate.enter(address("192.0.2.3"), start));
    EXPECT_LE(gate.addresses(), base::limits::addresses_max + 1);
    // Those that went make room.
    seats.erase(seats.begin(), seats.begin() + 10);
    EXPECT_TRUE(gate.enter(address("192.0.2.3"), start + 2s));
}

}  // namespace
}  // namespace net
