#include "bench/stamp.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace bench {
namespace {

std::string payload(const Stamp& stamp, std::size_t bytes = 128) {
    std::string out;
    append_payload(out, stamp, bytes);
    return out;
}

std::vector<Stamp> stamps_of(StampScanner& scanner, std::string_view frame) {
    std::vector<Stamp> stamps;
    const auto found = scanner.scan(frame, [&](const Stamp& stamp) { stamps.push_back(stamp); });
    EXPECT_EQ(found, stamps.size());
    return stamps;
}

const Stamp first{.channel = 7, .number = 0, .due_ns = 123'456'789'012'345},
    second{.channel = 65'535, .number = 4'000'000'000, .due_ns = 1};

TEST(Stamp, what_is_written_is_read) {
    const auto text = payload(second);
    EXPECT_EQ(text.size(), 128u);
    EXPECT_EQ(read_stamp(text), second);
    EXPECT_EQ(read_stamp(payload(first, stamp_bytes)), first);
}

TEST(Stamp, what_is_not_one_is_not_read) {
    EXPECT_EQ(read_stamp(""), std::nullopt);
    EXPECT_EQ(read_stamp(payload(first).substr(1)), std::nullopt);
    EXPECT_EQ(read_stamp(payload(first).substr(0, stamp_bytes - 1)), std::nullopt);
    auto wrong = payload(first);
    wrong[20] = 'g';
    EXPECT_EQ(read_stamp(wrong), std::nullopt);
}

TEST(StampScanner, finds_it_wherever_it_stands) {
    StampScanner scanner{128};
    for (const std::string head : {"{\"data\":\"", "", "a much longer beginning of a frame than that before", "{\"data\":\""}) {
        EXPECT_EQ(stamps_of(scanner, head + payload(first) + "\"}"), std::vector{first}) << head;
    }
}

TEST(StampScanner, finds_every_one_of_a_frame) {
    StampScanner scanner{128};
    const auto two = "[" + payload(first) + "," + payload(second) + "]";
    EXPECT_EQ(stamps_of(scanner, two), (std::vector{first, second}));
    EXPECT_EQ(stamps_of(scanner, two), (std::vector{first, second}));  // where the last one was
}

TEST(StampScanner, the_first_of_a_frame_is_not_passed_over_for_one_where_the_last_frame_had_its_own) {
    StampScanner scanner{stamp_bytes};
    EXPECT_EQ(stamps_of(scanner, std::string(stamp_bytes + 1, '.') + payload(second, stamp_bytes)), std::vector{second});
    EXPECT_EQ(stamps_of(scanner, payload(first, stamp_bytes) + "." + payload(second, stamp_bytes)), (std::vector{first, second}));
}

TEST(StampScanner, a_frame_without_one_has_none) {
    StampScanner scanner{128};
    EXPECT_TRUE(stamps_of(scanner, "").empty());
    EXPECT_TRUE(stamps_of(scanner, R"({"action":1,"count":1,"msgSerial":0})").empty());
    EXPECT_TRUE(stamps_of(scanner, "~pal~ is not enough of one, even in a frame that is long enough").empty());
}

}  // namespace
}  // namespace bench
