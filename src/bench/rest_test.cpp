#include "bench/rest.hpp"

#include <gtest/gtest.h>

namespace bench {
namespace {

TEST(Rest, answers_are_taken_one_by_one) {
    const std::string bytes =
        "HTTP/1.1 201 Created\r\ncontent-length:  2\r\nX: y\r\n\r\n[]HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 4";
    std::string_view left = bytes;
    EXPECT_EQ(take_response(left), 201);
    EXPECT_EQ(take_response(left), 101);
    EXPECT_EQ(take_response(left), std::nullopt);
    EXPECT_EQ(left, "HTTP/1.1 4");
}

TEST(Rest, an_answer_without_all_of_its_body_is_not_taken) {
    const std::string bytes = "HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n123456789";
    std::string_view left = bytes;
    EXPECT_EQ(take_response(left), std::nullopt);
    EXPECT_EQ(left, bytes);
}

TEST(Rest, a_publish_says_how_long_it_is) {
    std::string out;
    append_rest_publish(out, "host:1", "a.b:c", "room", "hello");
    EXPECT_TRUE(out.starts_with("POST /channels/room/messages HTTP/1.1\r\n"));
    EXPECT_TRUE(out.ends_with("Content-Length: 16\r\n\r\n{\"data\":\"hello\"}"));
    EXPECT_NE(out.find("Authorization: Basic YS5iOmM=\r\n"), out.npos);
}

}  // namespace
}  // namespace bench
